import Glibc

/// A system call that failed: which one, on what, and the kernel's reason.
package struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
  package let call: String
  package let code: Int32
  /// The path or address concerned; empty when there is none.
  package let subject: String

  package init(call: String, code: Int32, subject: String = "") {
    self.call = call
    self.code = code
    self.subject = subject
  }

  /// The reasons that callers tell apart, by name, so that no other room needs C's.
  package enum Reason: Hashable, Sendable {
    case exists, wouldBlock, addressInUse, addressNotAvailable, notPermitted, noDevice, isDirectory,
      other
  }

  package var kind: Reason {
    switch code {
    case EEXIST: .exists
    case EWOULDBLOCK: .wouldBlock
    case EADDRINUSE: .addressInUse
    case EADDRNOTAVAIL: .addressNotAvailable
    case EACCES: .notPermitted
    case ENODEV: .noDevice
    case EISDIR: .isDirectory
    default: .other
    }
  }

  /// An error that says a file is there already, as `open` would with O_EXCL.
  package static func exists(_ call: String, _ subject: String) -> SystemError {
    SystemError(call: call, code: EEXIST, subject: subject)
  }

  /// The kernel's words for `code`, such as "No space left on device".
  package var reason: String { unsafe String(cString: strerror(code)) }

  package var description: String {
    subject.isEmpty ? "\(call): \(reason)" : "\(call) \(subject): \(reason)"
  }
}

/// Runs a system call again while a signal interrupts it, and returns its value.
///
/// EBADF and EFAULT are our own mistakes and end the process: carrying on would let a later
/// call act on somebody else's descriptor.
///
/// - Throws: `SystemError` for any other failure; nothing was changed.
@discardableResult
package func retrying<Value: FixedWidthInteger & SignedInteger>(
  _ call: String, _ subject: @autoclosure () -> String = "", _ body: () -> Value
) throws(SystemError) -> Value {
  while true {
    let value = body()
    if value != -1 { return value }
    let code = errno
    if code == EINTR { continue }
    precondition(code != EBADF && code != EFAULT, "\(call) was handed a bad argument")
    throw SystemError(call: call, code: code, subject: subject())
  }
}
