import Testing

@Suite struct `The mask that hides what is not code` {
  @Test func `comments and strings vanish and code stays`() {
    let text = """
      let a = 1 // print(1)
      /* Task /* nested */ Task */ let b = "Double"
      let `a Task name` = ##"Float "# \\(x)"##
      """
    let code = CodeMask.code(of: text)
    #expect(code.utf8.count == text.utf8.count)
    for word in ["print", "Task", "Double", "Float", "x"] { #expect(!uses(word, in: code)) }
    #expect(uses("let b", in: code))
  }

  @Test func `code inside an interpolation is code`() {
    let code = CodeMask.code(of: #"let s = "Task \(f(Double(1), "print(")) Task"; let c = Task"#)
    #expect(uses("Double(", in: code))
    #expect(!uses("print(", in: code))
    #expect(code.hasSuffix("; let c = Task"))
  }

  @Test func `a string of many lines ends where it ends`() {
    let code = CodeMask.code(of: "let s = \"\"\"\n  Task \"Task\"\n  \"\"\"\nTask {}")
    #expect(code.split(separator: "\n").count == 4)
    #expect(code.hasSuffix("\nTask {}"))
    #expect(code.components("Task") == 1)
  }

  @Test func `words are whole words`() {
    #expect(uses("Task", in: "_ = Task { }"))
    #expect(!uses("Task", in: "let task: SubTask = MyTasks()"))
    #expect(uses(".random(", in: "Int.random(in: 0..<3)"))
    #expect(!uses("print(", in: "fingerprint(x)"))
    #expect(uses("print(", in: "fingerprint(print(x))"))
  }
}

extension String {
  fileprivate func components(_ word: String) -> Int { ranges(of: word).count }
}
