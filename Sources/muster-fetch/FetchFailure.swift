import Glibc

/// Why nothing was unpacked: a class for the caller, a sentence for people.
struct FetchFailure: Error {
  /// The second word of a `failed` line.
  enum Kind: String {
    /// The command line is wrong; nothing was touched.
    case usage
    /// No answer, or one that broke off, after every retry. The partial archive stays.
    case network
    /// The server refuses. The partial archive stays.
    case refused
    /// Whoever has the release hands it on to others just now. What came so far stays.
    case busy
    /// The bytes are not the ones ordered. The archive is removed.
    case checksum
    /// The archive is not signed by the key that is asked for.
    case signature
    /// There is too little room for the archive and what it unpacks to.
    case space
    /// A limit on size or number is exceeded.
    case limit
    /// The archive cannot be read. What was unpacked stays in the directory.
    case archive
    /// An entry would write or point outside the tree, or is no file, directory or link.
    case unsafe
    /// The disk refuses.
    case disk
  }

  let kind: Kind
  let message: String

  init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  /// A system call that just failed; reads `errno`.
  static func system(_ call: String, _ subject: String) -> FetchFailure {
    let code = errno
    let advice = code == ENOSPC || code == EDQUOT ? "; free some space and try again" : ""
    return FetchFailure(
      .disk, "\(call) \(subject): \(unsafe String(cString: strerror(code)))\(advice)")
  }
}
