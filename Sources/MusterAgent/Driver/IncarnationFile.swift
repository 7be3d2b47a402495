import MusterState
import MusterSystem

/// `STATE/incarnation`: how often this identity was started, and how far its register was then.
///
/// The second tells a register that somebody put back from an older copy: going on from it, the
/// node could break a promise that it no longer knows of.
struct IncarnationFile {
  struct Start: Equatable {
    let counter: UInt64
    /// The register's serial at that start.
    let register: UInt64
  }

  private static let kind = "muster-incarnation"
  let directory: String
  let node: NodeID
  var path: String { "\(directory)/incarnation" }

  /// The last start.
  ///
  /// - Throws: `older` when there is none, although there is an identity.
  func read() throws(StateError) -> Start {
    guard let content = try readState(path, directory: directory) else {
      throw .older(path: path, problem: "is missing, although this node was started before")
    }
    let (owner, start) = try parse(content)
    if owner != node {
      throw .damaged(
        path: path, problem: "belongs to node \(owner.short), and identity to \(node.short)")
    }
    return start
  }

  private func parse(_ content: [UInt8]) throws(StateError) -> (NodeID, Start) {
    do throws(KeyedTextError) {
      let text = try KeyedText(
        parsing: content, path: path, kind: Self.kind, keys: ["node", "counter", "register"],
        isChecked: true)
      let counter = try text.value("counter", expected: "a number above 0") { (value) -> UInt64? in
        UInt64(value).flatMap { (1..<UInt64.max).contains($0) ? $0 : nil }
      }
      let register = try text.value("register", expected: "a number") { UInt64($0) }
      return (NodeID(try text.bytes16("node")), Start(counter: counter, register: register))
    } catch {
      throw .malformed(error, directory: directory)
    }
  }

  /// Has the start after `last` on disk, and draws its boot identifier.
  func advance(from last: Start?, register: UInt64) throws(StateError) -> Incarnation {
    let counter = (last?.counter ?? 0) + 1
    let content = KeyedText.render(
      kind: Self.kind,
      [
        ("node", node.description), ("counter", String(counter)), ("register", String(register)),
      ], isChecked: true)
    try writeState(path, content, directory: directory)
    return Incarnation(counter: counter, boot: Sodium.randomWord())
  }
}
