import Synchronization

/// The newest of many values, from the thread that makes them to the one that looks now and then.
package final class Latest<Value: Sendable>: Sendable {
  private let value = Mutex<Value?>(nil)

  package init() {}

  package func put(_ news: Value) { value.withLock { $0 = news } }

  /// What has come since the last call.
  package func take() -> Value? {
    value.withLock { latest in
      defer { latest = nil }
      return latest
    }
  }
}
