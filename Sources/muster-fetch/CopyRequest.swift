/// The command line of a copy from peers, checked.
struct CopyRequest {
  /// In the order in which they are asked, without a slash at the end.
  private(set) var peers: [String] = []
  /// The digest of the manifest: the one thing that is believed.
  private(set) var manifest: [UInt8] = []
  private(set) var directory = ""

  init(arguments: [String]) throws(FetchFailure) {
    var rest = arguments[...]
    while let option = rest.popFirst() {
      guard let value = rest.popFirst() else {
        throw FetchFailure(.usage, "\(option) needs a value; see muster-fetch --help")
      }
      switch option {
      case "--peer":
        let url = try FetchRequest.checkedURL(value)
        guard url.lowercased().hasPrefix("http://") else {
          throw FetchFailure(.usage, "--peer \(url): a peer is asked over http")
        }
        peers.append(url)
      case "--manifest": manifest = try FetchRequest.digest(value)
      case "--into": directory = value
      default:
        throw FetchFailure(
          .usage, "unknown option \(option) beside --peer; see muster-fetch --help")
      }
    }
    guard !manifest.isEmpty, !directory.isEmpty else {
      throw FetchFailure(.usage, "--peer needs --manifest and --into; see muster-fetch --help")
    }
  }
}
