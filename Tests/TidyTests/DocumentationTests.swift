import Testing

/// The rooms whose names are the project's vocabulary: every one of them is explained.
private let vocabularyRooms: Set = ["MusterState", "MusterProtocol"]

func documentationFindings(_ file: SourceFile) -> [Finding] {
  guard vocabularyRooms.contains(file.room) else { return [] }
  return file.code.indices.compactMap { index in
    guard let name = declaredName(file.code[index]), !isDocumented(file, index) else { return nil }
    return Finding(file, index: index, "\(name) has no sentence that says what it is")
  }
}

/// The name that a line at the left margin declares for the other rooms, if it does.
private func declaredName(_ line: String) -> String? {
  guard line.hasPrefix("package ") || line.hasPrefix("@") else { return nil }
  let words = line.split { !($0 == "_" || $0.isLetter || $0.isNumber) }
  let kinds: Set<Substring> = [
    "struct", "class", "enum", "actor", "protocol", "typealias", "func",
  ]
  guard let access = words.firstIndex(of: "package") else { return nil }
  let rest = words[(access + 1)...].drop { $0 == "final" || $0 == "indirect" }
  guard let kind = rest.first, kinds.contains(kind) else { return nil }
  return rest.dropFirst().first.map(String.init)
}

private func isDocumented(_ file: SourceFile, _ index: Int) -> Bool {
  var above = index - 1
  while above >= 0, file.lines[above].hasPrefix("@") { above -= 1 }
  return above >= 0 && (file.lines[above].hasPrefix("///") || file.lines[above].hasSuffix("*/"))
}

@Suite struct `The sentence above a name` {
  @Test func `every name that other rooms use is explained`() {
    #expect(SourceTree.sources.flatMap(documentationFindings) == [])
  }

  @Test(arguments: [
    "package struct Planted {}", "package final class Planted {}", "package func planted() {}",
    "package indirect enum Planted {}", "@frozen package enum Planted {}",
    "package typealias Planted = Int", "@frozen\npackage protocol Planted {}",
  ])
  func `a bare name is caught`(_ text: String) {
    for room in vocabularyRooms {
      let path = "Sources/\(room)/Planted.swift"
      #expect(documentationFindings(SourceFile(path: path, text: "\n" + text)).count == 1)
      #expect(documentationFindings(SourceFile(path: path, text: "/// Why.\n" + text)) == [])
    }
  }
}
