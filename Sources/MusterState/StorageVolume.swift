/// The filesystem behind a node's shared directory, as its operator should see it.
package struct StorageVolume: Hashable, Sendable {
  /// As the kernel names it: `nfs4`, `fuse.juicefs`, `ext4`; empty when unknown.
  package var type: String
  /// Differs between filesystems; whether it is equal on two nodes depends on the type.
  package var identifier: UInt64
  package var totalBytes: UInt64
  /// In steps of a 64th of the whole, so that a disk in use is not news every second.
  package var freeBytes: UInt64

  package init(type: String, identifier: UInt64, totalBytes: UInt64, freeBytes: UInt64) {
    self.type = type
    self.identifier = identifier
    self.totalBytes = totalBytes
    let step = max(1, totalBytes / 64)
    self.freeBytes = freeBytes / step * step
  }
}
