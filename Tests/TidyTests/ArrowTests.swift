import Testing

/// Which modules each room may import. SwiftPM refuses an arrow that points up but accepts one that
/// jumps through another room's dependencies, so the table stands here as well.
private let allowedImports: [String: Set<String>] = [
  "MusterState": [],
  "MusterDecisions": ["MusterState"],
  "MusterProtocol": ["MusterState", "MusterDecisions"],
  "MusterSimulator": ["MusterState", "MusterDecisions", "MusterProtocol"],
  "MusterReference": ["MusterProtocol", "MusterSimulator"],
  "MusterSystem": ["CLinux", "CSodium", "CYaml", "CMicrohttpd", "Glibc", "Synchronization"],
  "MusterReleases": ["MusterState", "MusterSystem", "Synchronization"],
  "MusterAgent": [
    "MusterState", "MusterDecisions", "MusterProtocol", "MusterSystem", "MusterReleases",
  ],
  "muster": ["MusterAgent", "MusterSimulator", "MusterState", "MusterProtocol", "MusterSystem"],
  "muster-bench-receive": ["MusterAgent", "MusterProtocol", "MusterState", "MusterSystem"],
  "muster-bench": [
    "MusterReference", "MusterSimulator", "MusterProtocol", "MusterState", "MusterSystem",
    "MusterAgent",
  ],
  "muster-fetch": ["CLinux", "CCurl", "CArchive", "CSodium", "Glibc"],
]

/// The module that a line of code imports, if it does.
func importedModule(_ line: String) -> String? {
  let words = line.split { $0.isWhitespace || $0 == ";" }.map(String.init)
  guard let position = words.firstIndex(of: "import") else { return nil }
  let modifiers: Set = ["public", "package", "internal", "fileprivate", "private"]
  let modified = words[..<position].allSatisfy { modifiers.contains($0) || $0.hasPrefix("@") }
  guard modified else { return nil }
  let kinds: Set = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
  let name = words[(position + 1)...].first { !kinds.contains($0) }
  return name?.split(separator: ".").first.map(String.init)
}

func arrowFindings(_ file: SourceFile) -> [Finding] {
  guard !file.room.isEmpty else { return [] }
  return file.code.enumerated().compactMap { index, line in
    guard let module = importedModule(line) else { return nil }
    guard let allowed = allowedImports[file.room] else {
      return Finding(file, index: index, "\(file.room) has no row in the table of imports")
    }
    if allowed.contains(module) { return nil }
    return Finding(file, index: index, "\(file.room) must not import \(module)")
  }
}

@Suite struct `The arrows between rooms` {
  @Test func `every room imports only what the table allows`() {
    #expect(SourceTree.sources.count > 20, "the project's sources were not found")
    #expect(SourceTree.sources.flatMap(arrowFindings) == [])
  }

  @Test(arguments: [
    "import Glibc", "@preconcurrency import Foundation", "package import MusterProtocol",
    "import struct MusterSystem.Instant", "@testable import MusterAgent",
    "  import Foundation.NSURL",
  ])
  func `an arrow that points up is caught`(_ line: String) {
    let file = SourceFile(path: "Sources/MusterState/Planted.swift", text: "// why\n" + line)
    #expect(arrowFindings(file).map(\.line) == [2])
  }

  @Test func `a room that nobody listed is caught`() {
    let file = SourceFile(path: "Sources/MusterNew/Planted.swift", text: "import MusterState")
    #expect(arrowFindings(file).count == 1)
  }

  @Test func `talk about imports is no import`() {
    let text = "// import Glibc\nlet text = \"import Glibc\"\nlet important = true"
    #expect(arrowFindings(SourceFile(path: "Sources/MusterState/Planted.swift", text: text)) == [])
  }
}
