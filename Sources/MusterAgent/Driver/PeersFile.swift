import MusterState
import MusterSystem

/// `STATE/peers`: where members were last seen, to find them again without multicast.
///
/// Best effort: nothing depends on it, and whatever is wrong with it means "unknown".
struct PeersFile: Sendable {
  /// Members come and go; so many are remembered.
  static let limit = 64
  private static let kind = "muster-peers"

  let path: String

  func read() -> [Address] {
    guard let content = (try? Files.read(path, limit: KeyedText.limit)) ?? nil,
      let text = try? KeyedText(
        parsing: content, path: path, kind: Self.kind, keys: ["peer"], repeated: ["peer"],
        isChecked: true)
    else { return [] }
    return text.values("peer").prefix(Self.limit).compactMap { Address($0.text) }
  }

  func write(_ addresses: [Address]) throws(SystemError) {
    let content = KeyedText.render(
      kind: Self.kind, addresses.prefix(Self.limit).map { ("peer", $0.description) },
      isChecked: true)
    try Files.replace(path, with: content, mode: 0o600)
  }
}
