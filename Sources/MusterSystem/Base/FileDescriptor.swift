import Glibc

/// Owns one descriptor and closes it when it goes out of scope.
package struct FileDescriptor: ~Copyable, Sendable {
  /// The number, for system calls made while the owner lives.
  package let number: Int32

  package init(owning number: Int32) {
    precondition(number >= 0, "a descriptor is never negative")
    self.number = number
  }

  /// Gives the descriptor away; the receiver closes it.
  package consuming func release() -> Int32 {
    let number = number
    discard self
    return number
  }

  deinit { close(number) }
}
