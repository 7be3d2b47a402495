import Glibc

/// One change that the release store is about to make on the disk.
package struct StoreOperation: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    case makeDirectory, create, write, setMode, sync, rename, remove
  }

  package var kind: Kind
  package var path: String
  /// Where a rename leads.
  package var target = ""
}

#if DEBUG
  /// Stands between the store and the disk while a test runs a body with it: it sees every change
  /// before it is made, and may refuse it. A release build has none.
  package enum StoreTrap {
    @TaskLocal package static var allows: (@Sendable (StoreOperation) -> Bool)?
  }
#endif

/// Announces a change that is about to be made.
func announce(
  _ kind: StoreOperation.Kind, _ path: @autoclosure () -> String,
  to target: @autoclosure () -> String = ""
) throws(SystemError) {
  #if DEBUG
    guard let allows = StoreTrap.allows else { return }
    let operation = StoreOperation(kind: kind, path: path(), target: target())
    if !allows(operation) { throw SystemError(call: "stop", code: EIO, subject: operation.path) }
  #endif
}
