import Glibc

/// Lines for the parent, each in one write.
enum Report {
  /// What a server or an archive put into a message cannot begin a line of its own.
  static func line(_ message: String) {
    text(String(decoding: message.utf8.map { $0 < 0x20 || $0 == 0x7f ? 0x20 : $0 }, as: UTF8.self))
  }

  static func text(_ text: String) {
    let bytes = Array(text.utf8) + [0x0a]
    _ = unsafe bytes.withUnsafeBytes { unsafe write(1, $0.baseAddress, $0.count) }
  }
}
