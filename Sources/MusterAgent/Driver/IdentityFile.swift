import MusterState
import MusterSystem

/// `STATE/identity`: the Ed25519 secret that is this node.
struct IdentityFile {
  private static let kind = "muster-identity"
  let directory: String
  var path: String { "\(directory)/identity" }

  /// The seed; `nil` at the first start.
  func read(cluster: ClusterID) throws(StateError) -> [UInt8]? {
    guard let content = try readState(path, directory: directory) else { return nil }
    let mode: UInt32?
    do throws(SystemError) { mode = try Files.mode(of: path) } catch {
      throw .unusable(directory: directory, error)
    }
    if let mode, mode & 0o077 != 0 { throw .exposed(path: path, mode: mode) }
    let (found, seed) = try parse(content)
    if found != cluster { throw .foreign(directory: directory, found: found, wanted: cluster) }
    return seed
  }

  private func parse(_ content: [UInt8]) throws(StateError) -> (ClusterID, seed: [UInt8]) {
    do throws(KeyedTextError) {
      let text = try KeyedText(
        parsing: content, path: path, kind: Self.kind, keys: ["cluster", "secret"],
        isChecked: true)
      return (ClusterID(try text.bytes16("cluster")), try text.bytes32("secret").bytes)
    } catch {
      throw .malformed(error, directory: directory)
    }
  }

  func write(seed: [UInt8], cluster: ClusterID) throws(StateError) {
    let content = KeyedText.render(
      kind: Self.kind, comments: ["This node's secret. It never leaves this machine."],
      [("cluster", cluster.description), ("secret", hexadecimal(seed))], isChecked: true)
    try writeState(path, content, directory: directory)
  }
}

func readState(_ path: String, directory: String) throws(StateError) -> [UInt8]? {
  do throws(SystemError) {
    return try Files.read(path, limit: KeyedText.limit)
  } catch {
    throw .unusable(directory: directory, error)
  }
}

func writeState(_ path: String, _ content: [UInt8], directory: String) throws(StateError) {
  do throws(SystemError) {
    try Files.replace(path, with: content, mode: 0o600)
  } catch {
    throw .unusable(directory: directory, error)
  }
}
