/// The command line, checked.
struct FetchRequest {
  static let usage = """
    usage: muster-fetch --url URL… --sha256 HEX --archive FILE --into DIR [options]

    Fetches URL (http, https, file) into FILE, going on where an earlier run stopped, checks
    its SHA-256 and unpacks it (tar, gz, xz, zst, bz2, zip) into DIR. Further URLs are mirrors.

    or: muster-fetch --peer URL… --manifest HEX --into DIR

    Copies a published release, file by file, from whoever of the peers has it: below each URL
    there are its manifest, whose digest is HEX, and its files by their SHA-256.

    or: muster-fetch --index URL [--minisign KEY]

    Reads which version is the latest, and prints what the index says of it.

    options:
      --minisign KEY     refuse an archive that URL.minisig does not sign for this public key
      --unpacked N       bytes it unpacks to, for the space that is checked first
      --max-bytes N      refuse a larger archive (default 4 GiB)
      --max-unpacked N   refuse an archive that unpacks to more (default 16 GiB)
      --max-entries N    refuse an archive with more files and links (default 100000)
      --attempts N       give up after N attempts in a row that bring nothing (default 6)
      --stall SECONDS    give an attempt up when nothing comes for so long (default 30)
    """

  /// In the order in which they are tried.
  private(set) var urls: [String] = []
  private(set) var signer: MinisignKey?
  /// What the archive unpacks to; 0: not known.
  private(set) var unpackedBytes: UInt64 = 0
  private(set) var checksum: [UInt8] = []
  private(set) var archive = ""
  private(set) var directory = ""
  private(set) var maxBytes = FetchLimits.archiveBytes
  private(set) var maxUnpacked = FetchLimits.unpackedBytes
  private(set) var maxEntries = FetchLimits.entries
  private(set) var attempts = FetchLimits.fruitlessAttempts
  private(set) var stallSeconds = FetchLimits.stallSeconds

  init(arguments: [String]) throws(FetchFailure) {
    var rest = arguments[...]
    while let option = rest.popFirst() {
      guard let value = rest.popFirst() else {
        throw FetchFailure(.usage, "\(option) needs a value; see muster-fetch --help")
      }
      try set(option, to: value)
    }
    for (option, value) in [
      ("--url", urls.first ?? ""), ("--archive", archive), ("--into", directory),
    ]
    where value.isEmpty {
      throw FetchFailure(.usage, "\(option) is missing; see muster-fetch --help")
    }
    guard !checksum.isEmpty else {
      throw FetchFailure(.usage, "--sha256 is missing; see muster-fetch --help")
    }
  }

  private mutating func set(_ option: String, to value: String) throws(FetchFailure) {
    switch option {
    case "--url": urls.append(try Self.checkedURL(value))
    case "--minisign": signer = try MinisignKey(value)
    case "--unpacked": unpackedBytes = UInt64(try Self.number(option, value, in: 0...Int.max))
    case "--sha256": checksum = try Self.digest(value)
    case "--archive": archive = value
    case "--into": directory = value
    case "--max-bytes": maxBytes = UInt64(try Self.number(option, value, in: 1...Int.max))
    case "--max-unpacked": maxUnpacked = UInt64(try Self.number(option, value, in: 1...Int.max))
    case "--max-entries": maxEntries = try Self.number(option, value, in: 1...Int.max)
    case "--attempts":
      attempts = try Self.number(option, value, in: 1...FetchLimits.attempts)
    case "--stall": stallSeconds = try Self.number(option, value, in: 1...3_600)
    default: throw FetchFailure(.usage, "unknown option \(option); see muster-fetch --help")
    }
  }

  static func checkedURL(_ text: String) throws(FetchFailure) -> String {
    let scheme = text.prefix { $0 != ":" }.lowercased()
    guard ["http", "https", "file"].contains(scheme), text.utf8.count <= 4_096 else {
      throw FetchFailure(
        .usage, "\(withoutPassword(text)): only http://, https:// and file:// are fetched")
    }
    guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
      throw FetchFailure(.usage, "a URL holds a space or control character; write it as %20")
    }
    return text
  }

  static func digest(_ text: String) throws(FetchFailure) -> [UInt8] {
    let digits = text.utf8.map { Character(Unicode.Scalar($0)).hexDigitValue }
    let values = digits.compactMap { $0 }
    guard digits.count == 64, values.count == 64 else {
      throw FetchFailure(.usage, "\(text): 64 hexadecimal digits are needed")
    }
    return stride(from: 0, to: 64, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) }
  }

  private static func number(
    _ option: String, _ text: String, in range: ClosedRange<Int>
  ) throws(FetchFailure) -> Int {
    guard let value = Int(text), range.contains(value) else {
      throw FetchFailure(
        .usage,
        "\(option) \(text): a number from \(range.lowerBound) to \(range.upperBound) is needed")
    }
    return value
  }

  /// The archive as it may be shown: without `user:password@`.
  var shownURL: String { Self.withoutPassword(urls.first ?? "") }

  static func withoutPassword(_ url: String) -> String {
    guard let start = url.firstRange(of: "://")?.upperBound else { return url }
    let authority = url[start...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    guard let mark = authority.lastIndex(of: "@") else { return url }
    return String(url[..<start]) + String(url[url.index(after: mark)...])
  }
}
