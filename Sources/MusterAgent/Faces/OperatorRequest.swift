import MusterProtocol
import MusterState

/// What operators send, checked for form: the agent and the command line use the same rules, so
/// that both refuse with the same words.
package enum OperatorRequest {
  /// Why a value is refused: one line that says what is allowed.
  package struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
  }

  /// The name that stands for the whole cluster where a node's name is expected.
  package static let cluster = "cluster"

  package static func set(
    key: String, value: String, forCluster: Bool
  ) throws(Refusal) -> MusterProtocol.Command {
    try check(key: key)
    guard value.utf8.count <= Limits.valueBytes else {
      throw Refusal(
        "the value of \(key) has \(value.utf8.count) bytes: at most \(Limits.valueBytes) are kept")
    }
    guard !value.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 }) else {
      throw Refusal("the value of \(key) has control characters: use printable text")
    }
    if forCluster, key == "version", !isVersion(value) {
      throw Refusal("\"\(value)\" is no version: use letters, digits and . _ + -, at most 64")
    }
    return forCluster ? .setCluster(key: key, value: value) : .setOwn(key: key, value: value)
  }

  package static func check(key: String) throws(Refusal) {
    func isAllowed(_ byte: UInt8) -> Bool {
      (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
        || Array("._-/".utf8).contains(byte)
    }
    guard !key.isEmpty, key.utf8.count <= Limits.keyBytes, key.utf8.allSatisfy(isAllowed) else {
      throw Refusal(
        "\"\(key)\" is no key: use letters, digits and . _ - /, at most \(Limits.keyBytes)")
    }
  }

  /// Finds a node by name, by identity, or by the first eight or more digits of it.
  package static func node(_ text: String, in view: ClusterView) throws(Refusal) -> NodeID {
    let candidates = view.members.map { ($0.name, $0.id.description) }
    let id = try match(text, candidates)
    guard let node = NodeID(id) else { throw Refusal("\(id) is no identity") }
    return node
  }

  /// The identity of the node that `text` names, among names and identities.
  package static func match(
    _ text: String, _ nodes: [(name: String, id: String)]
  ) throws(Refusal) -> String {
    var found = nodes.filter { $0.name == text || $0.id == text }
    if found.isEmpty, text.utf8.count >= 8 { found = nodes.filter { $0.id.hasPrefix(text) } }
    if let only = found.first, found.count == 1 { return only.id }
    if found.isEmpty {
      throw Refusal("no member is called \"\(text)\": `muster members` lists names and identities")
    }
    let ids = found.map { String($0.id.prefix(12)) }.joined(separator: ", ")
    throw Refusal("\"\(text)\" can mean \(ids): give the identity")
  }
}
