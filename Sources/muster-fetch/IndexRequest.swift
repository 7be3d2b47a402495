/// The command line for an index: one small text that names the latest version, where it is and
/// what it hashes to.
///
/// Its first line is `muster-index 1`; each further one a key, a space and a value. What it does
/// not know it passes over.
struct IndexRequest {
  private static let heading = "muster-index 1"
  private static let keys = ["version", "source", "sha256", "minisign", "unpacked"]
  /// Lines that are read.
  private static let lines = 64

  private var url = ""
  private var signer: MinisignKey?

  init(arguments: [String]) throws(FetchFailure) {
    var rest = arguments[...]
    while let option = rest.popFirst() {
      guard let value = rest.popFirst() else {
        throw FetchFailure(.usage, "\(option) needs a value; see muster-fetch --help")
      }
      switch option {
      case "--index": url = try FetchRequest.checkedURL(value)
      case "--minisign": signer = try MinisignKey(value)
      default: throw FetchFailure(.usage, "\(option) does not go with --index")
      }
    }
    // Whoever can change what comes in clear text would choose what everyone runs.
    guard signer != nil || !url.lowercased().hasPrefix("http:") else {
      throw FetchFailure(
        .usage,
        "\(FetchRequest.withoutPassword(url)) is in clear text: use https, or --minisign KEY")
    }
  }

  /// - Returns: the lines that are understood.
  func run() throws(FetchFailure) -> [String] {
    let content = try SmallDownload(
      url, limit: FetchLimits.indexBytes, kind: .network
    ).run()
    if let signer { try signer.check(content, of: url) }
    let lines = String(decoding: content, as: UTF8.self).split(separator: "\n").map {
      $0.hasSuffix("\r") ? $0.dropLast() : $0
    }
    guard lines.first == Self.heading[...] else {
      throw FetchFailure(
        .archive,
        "\(FetchRequest.withoutPassword(url)) is no index: its first line is not "
          + "\"\(Self.heading)\"")
    }
    return lines.dropFirst().prefix(Self.lines).filter { line in
      Self.keys.contains { line.hasPrefix($0 + " ") }
    }.map(String.init)
  }
}
