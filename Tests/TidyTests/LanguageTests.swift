import Testing

/// The rooms where C is called, and so the only ones where memory safety is a person's promise.
private let unsafeRooms: Set = ["MusterSystem", "muster-fetch"]

/// How unsafe code is marked; `.unsafe` and `case unsafe` are somebody's own names.
private let unsafeMarks = ["unsafe ", "(unsafe)", "@unsafe", "@unchecked"]

/// Endings that say a type has no idea of its own.
private let emptyNames = ["Manager", "Helper", "Helpers", "Util", "Utils", "Impl", "Base", "Data"]

func unsafetyFindings(_ file: SourceFile) -> [Finding] {
  guard !file.room.isEmpty, !unsafeRooms.contains(file.room) else { return [] }
  return file.code.enumerated().flatMap { index, line in
    let line = line.replacing(".unsafe", with: "") + " "
    return unsafeMarks.filter { uses($0, in: line) }.map {
      Finding(
        file, index: index, "\($0) belongs in \(unsafeRooms.sorted().joined(separator: ", "))")
    }
  }
}

func accessFindings(_ file: SourceFile) -> [Finding] {
  guard !file.room.isEmpty else { return [] }
  return file.code.enumerated().flatMap { index, line in
    ["public", "open class", "open func"].filter { uses($0, in: line) }.map { _ in
      Finding(file, index: index, "the widest access is package")
    }
  }
}

func nameFindings(_ file: SourceFile) -> [Finding] {
  let kinds: Set<Substring> = ["struct", "class", "enum", "actor", "protocol", "typealias"]
  return file.code.enumerated().compactMap { index, line in
    let words = line.split { !($0 == "_" || $0.isLetter || $0.isNumber) }
    guard let kind = words.firstIndex(where: kinds.contains), kind + 1 < words.count else {
      return nil
    }
    let name = words[kind + 1]
    guard let ending = emptyNames.first(where: { name.hasSuffix($0) }) else { return nil }
    return Finding(file, index: index, "\(name): a name that ends in \(ending) says nothing")
  }
}

@Suite struct `The language that the rooms are written in` {
  @Test func `unsafe code is where C is`() {
    #expect(SourceTree.sources.flatMap(unsafetyFindings) == [])
  }

  @Test func `nothing is public`() {
    #expect(SourceTree.sources.flatMap(accessFindings) == [])
  }

  @Test func `no type has an empty name`() {
    #expect(SourceTree.swift.flatMap(nameFindings) == [])
  }

  @Test(arguments: [
    "let x = unsafe pointer.pointee", "nonisolated(unsafe) var x = 0", "@unchecked Sendable",
  ])
  func `unsafe code elsewhere is caught`(_ line: String) {
    for room in ["MusterState", "MusterAgent", "muster"] {
      let file = SourceFile(path: "Sources/\(room)/Planted.swift", text: "\n" + line)
      #expect(unsafetyFindings(file).map(\.line) == [2])
    }
    for room in unsafeRooms {
      #expect(unsafetyFindings(SourceFile(path: "Sources/\(room)/P.swift", text: line)) == [])
    }
  }

  @Test func `a name of our own is not unsafe code`() {
    let text = "enum Problem {\n  case unsafe, disk\n}\nlet safe = problem != .unsafe && true"
    #expect(unsafetyFindings(SourceFile(path: "Sources/MusterState/P.swift", text: text)) == [])
  }

  @Test(arguments: ["public struct Planted {}", "  open class Planted {}"])
  func `a public declaration is caught`(_ line: String) {
    #expect(accessFindings(SourceFile(path: "Sources/muster/P.swift", text: line)).count == 1)
  }

  @Test(arguments: emptyNames)
  func `an empty name is caught`(_ ending: String) {
    let text = "package final class Member\(ending)<T>: Other {}"
    #expect(nameFindings(SourceFile(path: "Tests/ATests/Planted.swift", text: text)).count == 1)
  }

  @Test func `a name that only contains the word is fine`() {
    let text = "struct Databases {}\nstruct ManagerialBody {}\nlet nodeHelper = 1"
    #expect(nameFindings(SourceFile(path: "Sources/muster/P.swift", text: text)) == [])
  }
}
