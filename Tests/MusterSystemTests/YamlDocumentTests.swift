import MusterSystem
import Testing

@Suite struct `A YAML document` {
  /// One line that shows the whole tree.
  private func shown(_ node: YamlNode?) -> String {
    guard let node else { return "none" }
    switch node.content {
    case .scalar(let text, let isPlain): return isPlain ? text : "\"\(text)\""
    case .sequence(let items): return "[" + items.map(shown).joined(separator: " ") + "]"
    case .mapping(let entries):
      return "{"
        + entries.map { "\($0.key)@\($0.place)=\(shown($0.value))" }
        .joined(separator: " ") + "}"
    }
  }

  private func problem(_ text: String) -> String {
    problem(Array(text.utf8))
  }

  private func problem(_ bytes: [UInt8]) -> String {
    do {
      _ = try YamlDocument(bytes)
      return "none"
    } catch {
      return "\(error)"
    }
  }

  @Test func `is a tree whose keys have places`() throws {
    let text = """
      # comment
      name: "ci/0"
      list: [a, 'b c']
      deep:
        ünter: {x: 1}
        none:
      block: |
        two
        lines
      """
    let document = try YamlDocument(Array(text.utf8))
    #expect(
      shown(document.root)
        == "{name@2:1=\"ci/0\" list@3:1=[a \"b c\"] deep@4:1={ünter@5:3={x@5:11=1} none@6:3=} "
        + "block@7:1=\"two\nlines\"}")
  }

  @Test(arguments: ["", "# nothing\n", "---\n", "~"]) func `may be empty`(text: String) throws {
    #expect(try YamlDocument(Array(text.utf8)).root == nil)
  }

  @Test(arguments: [
    ("a: 1\nb: 2\na: 3", "3:1: the key 'a' a second time; the first is at 1:1"),
    ("a: &x 1", "1:4: an anchor (&name); write the value out instead"),
    ("a: *x", "1:4: an alias (*name); write the value out instead"),
    ("a: !!int 1", "1:4: a tag (!name); write the plain value instead"),
    ("[a]: 1", "1:1: a list as key; only text can be one"),
    ("a: 1\n---\nb: 2", "2:1: a second document; only one is read"),
    ("a:\n\tb: 1", "2:1: found character that cannot start any token"),
    ("a: [1, 2\nb: 3", "2:2: did not find expected ',' or ']'"),
  ]) func `is refused with its place`(text: String, expected: String) {
    #expect(problem(text) == expected)
  }

  @Test func `that is no UTF-8 is refused where it stops being so`() {
    #expect(problem(Array("a: 1\nbc: ".utf8) + [0xff, 0x0a]) == "2:5: invalid leading UTF-8 octet")
    #expect(problem(Array("a: \u{1}".utf8)) == "1:4: control characters are not allowed")
  }

  @Test func `has limits`() {
    let deep = String(repeating: "[", count: 18) + String(repeating: "]", count: 18)
    #expect(problem(deep) == "1:18: nested more than 16 deep")
    #expect(problem(String(repeating: "- 1\n", count: 16_384)) == "16384:3: more than 16384 values")
    #expect(
      problem([UInt8](repeating: 35, count: 1 << 21))
        == "1:1: 2097152 bytes are too many: at most 1048576 are read")
  }

  @Test func `survives every truncation`() {
    let text = Array("a: [1, {b: \"c\\n\", d: 'e'}]\nf: |\n  g\n? h\n: - i\n  - j: k\n".utf8)
    for count in 0...text.count { _ = problem(Array(text[..<count])) }
  }
}
