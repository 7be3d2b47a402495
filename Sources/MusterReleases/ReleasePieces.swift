import MusterState
import MusterSystem

extension ReleaseStore {
  /// A part of a file of a published release, of at most so many bytes; fewer at its end only.
  ///
  /// What it holds is not looked at: whoever gets it holds it to the digest.
  ///
  /// - Parameter path: one of the manifest, or the manifest's own.
  package func piece(
    of reference: ReleaseReference, path: String, from offset: UInt64, count: Int
  ) throws(StoreError) -> [UInt8] {
    let releases = try openReleases(creating: false)
    return try storing { () throws(SystemError) in
      var directory = try releases.directory(reference.directoryName)
      var names = path.utf8.split(separator: UInt8(ascii: "/"))
        .map { String(decoding: $0, as: UTF8.self) }[...]
      while names.count > 1, let name = names.popFirst() {
        directory = try directory.directory(name)
      }
      return try directory.piece(names.first ?? "", from: offset, count: count)
    }
  }
}
