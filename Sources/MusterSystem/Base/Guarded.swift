import Synchronization

/// A value behind a lock: for what must be shareable between threads by its type, even where one
/// thread alone uses it.
package final class Guarded<Value: Sendable>: Sendable {
  private let value: Mutex<Value>

  package init(_ value: Value) { self.value = Mutex(value) }

  package func withLock<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
    value.withLock { (locked: inout sending Value) -> Result in body(&locked) }
  }
}
