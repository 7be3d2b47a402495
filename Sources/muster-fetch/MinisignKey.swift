import CSodium
import Glibc

/// A minisign public key, and what it says of an archive: Ed25519 over the BLAKE2b-512 of the
/// archive, and over that signature with its trusted comment.
struct MinisignKey {
  private let identifier: [UInt8]
  private let key: [UInt8]

  /// - Throws: `usage` for anything but the 56 characters that minisign prints.
  init(_ text: String) throws(FetchFailure) {
    guard let bytes = Self.decode(text), bytes.count == 42, bytes.starts(with: Array("Ed".utf8))
    else {
      throw FetchFailure(.usage, "--minisign \(text): the 56 characters of a public key are needed")
    }
    identifier = Array(bytes[2..<10])
    key = Array(bytes[10...])
  }

  /// Fetches `source` + ".minisig" and refuses an archive that it does not sign.
  func check(_ archive: String, from source: String) throws(FetchFailure) {
    try check(try Self.hash(archive), from: source)
  }

  /// The same for a small file that is in memory.
  func check(_ content: [UInt8], of source: String) throws(FetchFailure) {
    var digest = [UInt8](repeating: 0, count: 64)
    _ = unsafe crypto_generichash(
      &digest, digest.count, content, UInt64(content.count), nil, 0)
    try check(digest, from: source)
  }

  private func check(_ hash: [UInt8], from source: String) throws(FetchFailure) {
    let place = source + ".minisig"
    let text = try SmallDownload(
      place, limit: FetchLimits.signatureBytes, kind: .signature
    ).run()
    try check(text, of: hash, FetchRequest.withoutPassword(place))
  }

  private func check(
    _ file: [UInt8], of hash: [UInt8], _ shown: String
  ) throws(FetchFailure) {
    let lines = String(decoding: file, as: UTF8.self).split(separator: "\n").map { line in
      line.hasSuffix("\r") ? String(line.dropLast()) : String(line)
    }
    let mark = "trusted comment: "
    guard lines.count >= 4, lines[2].hasPrefix(mark), let signature = Self.decode(lines[1]),
      signature.count == 74, let whole = Self.decode(lines[3]), whole.count == 64
    else { throw FetchFailure(.signature, "\(shown) is no minisign signature") }
    guard signature.starts(with: Array("ED".utf8)) else {
      throw FetchFailure(
        .signature, "\(shown) signs the file itself: sign its hash, with 'minisign -SH'")
    }
    guard Array(signature[2..<10]) == identifier else {
      throw FetchFailure(.signature, "\(shown) is of another key than the one asked for")
    }
    let own = Array(signature[10...])
    let comment = Array(lines[2].utf8.dropFirst(mark.utf8.count))
    guard isValid(own, of: hash), isValid(whole, of: own + comment) else {
      throw FetchFailure(.signature, "\(shown) does not sign this file")
    }
  }

  private func isValid(_ signature: [UInt8], of message: [UInt8]) -> Bool {
    unsafe crypto_sign_verify_detached(signature, message, UInt64(message.count), key) == 0
  }

  private static func hash(_ path: String) throws(FetchFailure) -> [UInt8] {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    if file < 0 { throw .system("open", path) }
    defer { close(file) }
    // The library's state is an opaque block that wants this alignment.
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: crypto_generichash_statebytes(), alignment: 64)
    defer { unsafe memory.deallocate() }
    let state = OpaquePointer(memory)
    var digest = [UInt8](repeating: 0, count: 64)
    _ = unsafe crypto_generichash_init(state, nil, 0, digest.count)
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = unsafe read(file, &buffer, buffer.count)
      if count == 0 { break }
      if count < 0 {
        if errno == EINTR { continue }
        throw .system("read", path)
      }
      _ = unsafe crypto_generichash_update(state, buffer, UInt64(count))
    }
    _ = unsafe crypto_generichash_final(state, &digest, digest.count)
    return digest
  }

  private static func decode(_ text: String) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: text.utf8.count)
    var count = 0
    let code = unsafe sodium_base642bin(
      &bytes, bytes.count, text, text.utf8.count, nil, &count, nil,
      Int32(sodium_base64_VARIANT_ORIGINAL))
    return code == 0 ? Array(bytes[..<count]) : nil
  }
}
