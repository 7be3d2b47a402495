/// Swift source with everything that is not code blanked out, so that a guard that looks for a word
/// finds uses of it and not talk about it.
///
/// Comments, the text of string literals and the inside of backticks become spaces; line breaks
/// stay, and code interpolated into a string stays code. It is a lexer of a page, not a parser: a
/// regular expression literal would confuse it, and there is none in the project.
struct CodeMask {
  private enum Mode {
    case code
    /// Code inside `\(…)`, with the parentheses that are still open.
    case interpolation(open: Int)
    case lineComment
    case blockComment(depth: Int)
    case string(hashes: Int, multiline: Bool)
    case quotedIdentifier
  }

  private let bytes: [UInt8]
  private var masked: [UInt8]
  private var modes: [Mode] = [.code]
  private var position = 0

  /// The code of `text`, byte for byte as long as it.
  static func code(of text: String) -> String {
    var mask = CodeMask(text)
    while mask.position < mask.bytes.count { mask.step() }
    return String(decoding: mask.masked, as: UTF8.self)
  }

  private init(_ text: String) {
    bytes = Array(text.utf8)
    masked = bytes
  }

  private mutating func step() {
    switch modes[modes.count - 1] {
    case .code: stepInCode(open: nil)
    case .interpolation(let open): stepInCode(open: open)
    case .lineComment:
      if bytes[position] == UInt8(ascii: "\n") { modes.removeLast() }
      blank(1)
    case .blockComment(let depth): stepInComment(depth: depth)
    case .string(let hashes, let multiline): stepInString(hashes: hashes, multiline: multiline)
    case .quotedIdentifier:
      if bytes[position] == UInt8(ascii: "`") {
        modes.removeLast()
        position += 1
      } else {
        blank(1)
      }
    }
  }

  private mutating func stepInCode(open: Int?) {
    if starts("//") {
      modes.append(.lineComment)
    } else if starts("/*") {
      modes.append(.blockComment(depth: 1))
      blank(2)
    } else if starts("`") {
      modes.append(.quotedIdentifier)
      position += 1
    } else if let (hashes, multiline) = openingQuote() {
      modes.append(.string(hashes: hashes, multiline: multiline))
      position += hashes + (multiline ? 3 : 1)
    } else {
      if let open { count(parenthesis: bytes[position], open: open) }
      position += 1
    }
  }

  private mutating func count(parenthesis byte: UInt8, open: Int) {
    let left = open + (byte == UInt8(ascii: "(") ? 1 : byte == UInt8(ascii: ")") ? -1 : 0)
    modes.removeLast()
    if left > 0 { modes.append(.interpolation(open: left)) }
  }

  private mutating func stepInComment(depth: Int) {
    if starts("/*") {
      modes[modes.count - 1] = .blockComment(depth: depth + 1)
      blank(2)
    } else if starts("*/") {
      modes.removeLast()
      if depth > 1 { modes.append(.blockComment(depth: depth - 1)) }
      blank(2)
    } else {
      blank(1)
    }
  }

  private mutating func stepInString(hashes: Int, multiline: Bool) {
    let fence = String(repeating: "#", count: hashes)
    let quote = (multiline ? "\"\"\"" : "\"") + fence
    if starts(quote) {
      modes.removeLast()
      position += quote.utf8.count
    } else if starts("\\" + fence + "(") {
      modes.append(.interpolation(open: 1))
      position += 2 + hashes
    } else if starts("\\" + fence) {
      blank(2 + hashes)
    } else {
      if !multiline, bytes[position] == UInt8(ascii: "\n") { modes.removeLast() }
      blank(1)
    }
  }

  /// The fence and kind of the string literal that begins here, if one does.
  private func openingQuote() -> (hashes: Int, multiline: Bool)? {
    var end = position
    while end < bytes.count, bytes[end] == UInt8(ascii: "#") { end += 1 }
    guard end < bytes.count, bytes[end] == UInt8(ascii: "\"") else { return nil }
    let rest = bytes[end...].prefix(3)
    return (end - position, rest.count == 3 && rest.allSatisfy { $0 == UInt8(ascii: "\"") })
  }

  private func starts(_ text: String) -> Bool {
    bytes[position...].starts(with: text.utf8)
  }

  private mutating func blank(_ count: Int) {
    for index in position..<min(position + count, bytes.count)
    where bytes[index] != UInt8(ascii: "\n") {
      masked[index] = UInt8(ascii: " ")
    }
    position += count
  }
}
