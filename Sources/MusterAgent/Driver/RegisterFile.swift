import MusterState
import MusterSystem

/// `STATE/register`: the bytes that the peer had persisted, under one line that says whose they
/// are, which version, in which start they were written, and their digest.
///
///     muster-register 1 <cluster> <node> <serial> <counter> <bytes> <BLAKE2b-256>
///
/// The digest is over the line without it and the bytes behind the line.
struct RegisterFile: Sendable {
  struct Version: Equatable, Sendable {
    let serial: UInt64
    let content: [UInt8]
  }

  /// The peer's state is bounded by `Limits`; this bounds what a damaged length could ask for.
  static let limit = 16 << 20
  private static let kind = "muster-register"

  let directory: String
  let cluster: ClusterID
  let node: NodeID
  var path: String { "\(directory)/register" }

  /// The last version; `nil` when the peer never had one written.
  ///
  /// - Parameter lastStart: what the incarnation file says; what is older is refused.
  func read(lastStart: IncarnationFile.Start) throws(StateError) -> Version? {
    let bytes: [UInt8]?
    do throws(SystemError) { bytes = try Files.read(path, limit: Self.limit) } catch {
      throw .unusable(directory: directory, error)
    }
    guard let bytes else {
      if lastStart.register == 0 { return nil }
      throw .older(
        path: path, problem: "is missing; it had version \(lastStart.register) at the last start")
    }
    let (version, counter) = try parse(bytes)
    if version.serial < lastStart.register {
      throw .older(
        path: path,
        problem: "has version \(version.serial), older than \(lastStart.register) of the last "
          + "start")
    }
    if counter > lastStart.counter {
      throw .older(
        path: "\(directory)/incarnation",
        problem: "counts \(lastStart.counter) starts, and register was written in the "
          + "\(counter)th")
    }
    return version
  }

  /// A first start must not write over what another identity promised.
  func requireNone(for identity: String) throws(StateError) {
    do throws(SystemError) {
      if try Files.mode(of: path) == nil { return }
    } catch {
      throw .unusable(directory: directory, error)
    }
    throw .older(path: identity, problem: "is missing, although there is a register beside it")
  }

  private func parse(_ bytes: [UInt8]) throws(StateError) -> (Version, counter: UInt64) {
    guard let end = bytes.prefix(512).firstIndex(of: UInt8(ascii: "\n")),
      let line = String(validating: bytes[..<end], as: UTF8.self)
    else { throw damaged("is torn: it has no first line") }
    let words = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    guard words.first == Self.kind else { throw damaged("is not a register of muster") }
    guard words.count == 8, words[1] == "1" else {
      throw damaged("has a format that this muster does not know; use the one that wrote it")
    }
    let content = Array(bytes[(end + 1)...])
    guard let serial = UInt64(words[4]), let counter = UInt64(words[5]),
      words[6] == String(content.count),
      words[7] == digest(words[..<7].joined(separator: " "), content)
    else { throw damaged("is torn or was changed: its digest does not fit") }
    guard words[2] == cluster.description else {
      throw damaged("belongs to cluster \(words[2]), and identity to \(cluster)")
    }
    guard words[3] == node.description else {
      throw damaged("belongs to node \(words[3].prefix(8)), and identity to \(node.short)")
    }
    return (Version(serial: serial, content: content), counter)
  }

  private func damaged(_ problem: String) -> StateError {
    .damaged(path: path, problem: problem)
  }

  /// Writes one version; it is durable on return.
  func write(_ version: Version, counter: UInt64) throws(SystemError) {
    try Files.replace(path, with: render(version, counter: counter), mode: 0o600)
  }

  func render(_ version: Version, counter: UInt64) -> [UInt8] {
    let line =
      "\(Self.kind) 1 \(cluster) \(node) \(version.serial) \(counter) \(version.content.count)"
    return Array("\(line) \(digest(line, version.content))\n".utf8) + version.content
  }

  private func digest(_ line: String, _ content: [UInt8]) -> String {
    hexadecimal(Sodium.digest(Array(line.utf8) + content))
  }
}
