import Testing

private enum Size {
  static let columns = 100
  static let linesOfFile = 400
  static let linesOfFunction = 70
}

func sizeFindings(_ file: SourceFile) -> [Finding] {
  var findings: [Finding] = []
  for (index, line) in file.lines.enumerated() where line.count > Size.columns {
    findings.append(Finding(file, index: index, "\(line.count) columns"))
  }
  let count = file.lines.last == "" ? file.lines.count - 1 : file.lines.count
  if count > Size.linesOfFile {
    findings.append(
      Finding(file, index: count - 1, "\(count) lines: which second concept moved in?"))
  }
  for body in functionBodies(file.code) where body.count > Size.linesOfFunction {
    findings.append(
      Finding(file, index: body.lowerBound, "a function of \(body.count) lines"))
  }
  return findings
}

/// The lines of every function, initialiser and subscript, from its keyword to its closing brace.
/// Declarations without a body (the requirements of a protocol) are passed over.
func functionBodies(_ code: [String]) -> [Range<Int>] {
  let tokens = tokenize(code)
  return tokens.indices.compactMap { start in
    guard ["func", "init", "deinit", "subscript"].contains(tokens[start].text) else { return nil }
    if start > 0, tokens[start - 1].text == "." { return nil }
    guard let opening = openingBrace(tokens, after: start) else { return nil }
    var depth = 0
    for token in tokens[opening...] {
      if token.text == "{" { depth += 1 }
      if token.text == "}" { depth -= 1 }
      if depth == 0 { return tokens[start].line..<(token.line + 1) }
    }
    return nil
  }
}

private struct Token {
  let text: Substring
  let line: Int
}

private func tokenize(_ code: [String]) -> [Token] {
  var tokens: [Token] = []
  for (number, line) in code.enumerated() {
    var rest = line[...]
    while let first = rest.first {
      let name = rest.prefix { $0 == "_" || $0.isLetter || $0.isNumber }
      let text = name.isEmpty ? rest.prefix(1) : name
      if !first.isWhitespace { tokens.append(Token(text: text, line: number)) }
      rest = rest.dropFirst(text.count)
    }
  }
  return tokens
}

/// The brace that opens the body of the declaration at `start`; `nil` if another begins before.
private func openingBrace(_ tokens: [Token], after start: Int) -> Int? {
  let next: Set<Substring> = [
    "func", "init", "deinit", "subscript", "var", "let", "case", "struct", "enum", "class",
    "protocol", "extension", "associatedtype", "static", "mutating", "package", "private", "}",
  ]
  var depth = 0
  for index in tokens.indices[(start + 1)...] {
    switch tokens[index].text {
    case "(", "[": depth += 1
    case ")", "]": depth -= 1
    case "{" where depth == 0: return index
    case let text where depth == 0 && next.contains(text): return nil
    default: break
    }
  }
  return nil
}

@Suite struct `The size of lines, files and functions` {
  @Test func `everything fits its frame`() {
    #expect(SourceTree.swift.flatMap(sizeFindings) == [])
  }

  private func findings(_ text: String) -> [Finding] {
    sizeFindings(SourceFile(path: "Sources/muster/Planted.swift", text: text))
  }

  @Test func `a long line is caught`() {
    #expect(findings("\n" + String(repeating: "é", count: 101)).map(\.line) == [2])
    #expect(findings(String(repeating: "é", count: 100)) == [])
  }

  @Test func `a long file is caught`() {
    #expect(findings(String(repeating: "// line\n", count: 401)).count == 1)
    #expect(findings(String(repeating: "// line\n", count: 400)) == [])
  }

  @Test(arguments: [
    "func planted(_ f: () -> Int = { 1 }) throws(E) -> [Int: Int] where T: Q {",
    "init<T>(planted: T) {", "deinit {", "subscript(index: Int) -> Int {",
  ])
  func `a long function is caught`(_ opening: String) {
    func body(_ lines: Int) -> String {
      "struct S {\n  \(opening)\n" + String(repeating: "    if a { b() }\n", count: lines)
        + "  }\n}\n"
    }
    #expect(findings(body(69)).map(\.line) == [2])
    #expect(findings(body(68)) == [])
  }

  @Test func `a requirement has no body`() {
    let text =
      "protocol P {\n  func a(_ x: Int) -> Int\n  init()\n}\nextension P {\n"
      + String(repeating: "  var a: Int { 1 }\n", count: 90) + "}\n"
    #expect(findings(text) == [])
  }
}
