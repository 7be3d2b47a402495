import MusterProtocol
import MusterState
import MusterSystem

/// What makes a machine a member: who holds this file can join. `muster init` writes it, and the
/// operator copies it to every machine.
package struct ClusterFile: Hashable, Sendable {
  package static let sizes: ClosedRange<UInt32> = 1...10_000
  /// The longest name of a cluster, in bytes.
  package static let nameBytes = 63
  private static let kind = "muster-cluster"

  package let name: String
  package let id: ClusterID
  /// The planned size: founding waits for exactly so many.
  package let expect: UInt32
  package let key: SealingKey
  /// Checks what only the operator may decide.
  package let authority: PublicKey

  package init(
    name: String, id: ClusterID, expect: UInt32, key: SealingKey, authority: PublicKey
  ) {
    self.name = name
    self.id = id
    self.expect = expect
    self.key = key
    self.authority = authority
  }

  /// Reads a cluster file.
  ///
  /// - Throws: `absent`, `exposed` when others may read it, `malformed` with file and line.
  package static func read(_ path: String) throws(ClusterFileError) -> ClusterFile {
    let content: [UInt8]?
    let mode: UInt32?
    do throws(SystemError) {
      content = try Files.read(path, limit: KeyedText.limit)
      mode = try Files.mode(of: path)
    } catch {
      throw .unreadable(error)
    }
    guard let content, let mode else { throw .absent(path: path) }
    // A group of administrators may read it; that is how configuration tools hand it out.
    if mode & 0o037 != 0 { throw .exposed(path: path, mode: mode) }
    do throws(KeyedTextError) {
      return try parse(content, path: path)
    } catch {
      throw .malformed(error)
    }
  }

  package static func parse(
    _ content: [UInt8], path: String
  ) throws(KeyedTextError) -> ClusterFile {
    let text = try KeyedText(
      parsing: content, path: path, kind: kind,
      keys: ["name", "id", "expect", "key", "authority"])
    return ClusterFile(
      name: try text.value("name", expected: nameRule) { isName($0) ? $0 : nil },
      id: ClusterID(try text.bytes16("id")),
      expect: try text.value("expect", expected: sizeRule) { (value) -> UInt32? in
        UInt32(value).flatMap { sizes.contains($0) ? $0 : nil }
      },
      key: SealingKey(try text.bytes32("key")),
      authority: PublicKey(try text.bytes32("authority")))
  }

  package func render() -> [UInt8] {
    KeyedText.render(
      kind: Self.kind,
      comments: [
        "Who holds this file can join the cluster: copy it to every machine, mode 0600."
      ],
      [
        ("name", name), ("id", id.description), ("expect", String(expect)),
        ("key", hexadecimal(key.bytes.bytes)), ("authority", authority.description),
      ])
  }

  static let nameRule = "letters, digits and . _ -, at most \(nameBytes)"
  static let sizeRule = "a number from \(sizes.lowerBound) to \(sizes.upperBound)"

  package static func isName(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    return !bytes.isEmpty && bytes.count <= nameBytes
      && bytes.allSatisfy {
        (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
          || Array("._-".utf8).contains($0)
      }
  }
}

/// Why there is no cluster to join. Nothing was written or changed.
package enum ClusterFileError: Error, Hashable, Sendable {
  case absent(path: String)
  case exposed(path: String, mode: UInt32)
  case unreadable(SystemError)
  case malformed(KeyedTextError)
  /// `muster init` was asked to write over a file.
  case exists(path: String)
  case unwritable(SystemError)
  /// `--expect` is out of range, or `--name` is no name.
  case refused(String)
}

extension ClusterFileError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .absent(let path):
      "there is no cluster file at \(path): make one with `muster init --name NAME --expect N "
        + "--out DIR`, or copy DIR/cluster of the machine where that was done"
    case .exposed(let path, let mode):
      "\(path) has mode 0\(String(mode, radix: 8)), so others than its owner can use its secret: "
        + "run `chmod 600 \(path)`"
    case .unreadable(let error) where error.kind == .isDirectory:
      "cannot read \(error.subject): it is a directory; give the file in it, such as "
        + "\(error.subject)/cluster"
    case .unreadable(let error):
      "cannot read \(error.subject): \(error.reason); run the agent as the file's owner"
    case .malformed(let error):
      "\(error); copy the file that `muster init` wrote anew"
    case .exists(let path):
      "\(path) is there already and is never overwritten: give another directory with --out"
    case .unwritable(let error):
      "cannot write \(error.subject): \(error.reason); give another directory with --out"
    case .refused(let reason): reason
    }
  }
}
