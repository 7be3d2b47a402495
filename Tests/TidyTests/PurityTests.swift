import Testing

/// Rooms whose every answer follows from their arguments.
private let pureRooms: Set = [
  "MusterState", "MusterDecisions", "MusterProtocol", "MusterSimulator", "MusterReference",
]

/// What reaches for time, chance, the machine, another thread, or arithmetic that rounds. The
/// compiler accepts all of them in a pure room.
private let impureWords = [
  "import Glibc", "import Foundation", "import FoundationEssentials", "import Synchronization",
  "import Dispatch",
  "ContinuousClock", "SuspendingClock", "clock_gettime", "gettimeofday", "Date",
  ".random(", ".randomElement(", ".shuffled()", ".shuffle()", "SystemRandomNumberGenerator",
  "getrandom", "arc4random", "Hasher", "hashValue", "ObjectIdentifier",
  "Task", "TaskGroup", "withTaskGroup", "DispatchQueue", "Thread", "async", "await",
  "print(", "debugPrint(", "dump(", "CommandLine",
  "Double", "Float", "Float16", "Float32", "Float64",
]

func purityFindings(_ file: SourceFile) -> [Finding] {
  guard pureRooms.contains(file.room) else { return [] }
  return file.code.enumerated().flatMap { index, line in
    impureWords.filter { uses($0, in: line) }.map {
      Finding(file, index: index, "a pure room must not say \($0)")
    }
  }
}

@Suite struct `The words that pure rooms must not contain` {
  @Test func `no pure room reaches for the world`() {
    let rooms = Set(SourceTree.sources.map(\.room))
    #expect(pureRooms.isSubset(of: rooms), "a pure room has no sources")
    #expect(SourceTree.sources.flatMap(purityFindings) == [])
  }

  @Test(arguments: impureWords)
  func `a planted word is caught`(_ word: String) {
    for room in pureRooms.sorted() {
      let text = "func planted() {\n  _ = x \(word) y\n}\n"
      let file = SourceFile(path: "Sources/\(room)/Planted.swift", text: text)
      #expect(purityFindings(file).contains { $0.line == 2 && $0.what.hasSuffix(word) })
    }
  }

  @Test func `a comment may say why not`() {
    let text = "/// Never a Double: ratios are integers.\nlet why = \"Task\"\n"
    #expect(purityFindings(SourceFile(path: "Sources/MusterState/Planted.swift", text: text)) == [])
  }

  @Test func `the rooms that touch the world may`() {
    let file = SourceFile(path: "Sources/MusterSystem/Clock.swift", text: "clock_gettime(id, &now)")
    #expect(purityFindings(file) == [])
  }
}
