import Testing

/// Marks of unfinished work. They are spelled in halves, so that this file passes its own guard.
private let marks = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]

/// Folders that exist on one machine only.
private let machineFolders = ["/wo" + "rk/", "/ro" + "ot/"]

func litterFindings(_ file: SourceFile) -> [Finding] {
  file.lines.enumerated().flatMap { index, line in
    marks.filter { uses($0, in: line) }.map {
      Finding(file, index: index, "\($0): do it, or write an issue")
    }
      + machineFolders.filter { namesFolder($0, in: line) }.map {
        Finding(file, index: index, "\($0) exists on one machine only")
      }
  }
}

/// Whether `folder` stands at the beginning of a path, and not in the middle of one.
private func namesFolder(_ folder: String, in line: String) -> Bool {
  line.ranges(of: folder).contains { range in
    guard range.lowerBound > line.startIndex else { return true }
    let before = line[line.index(before: range.lowerBound)]
    return !(before.isLetter || before.isNumber || "_.-~)}$/*>".contains(before))
  }
}

@Suite struct `Litter` {
  @Test func `nothing is left lying about`() {
    #expect(SourceTree.all.contains { $0.path == "README.md" }, "the project was not found")
    #expect(SourceTree.all.flatMap(litterFindings) == [])
  }

  @Test(arguments: marks + machineFolders.map { $0 + "somewhere" })
  func `litter is caught`(_ litter: String) {
    for path in ["Sources/muster/Planted.swift", "scripts/planted", "README.md"] {
      let file = SourceFile(path: path, text: "first\n# see \(litter) here\n")
      #expect(litterFindings(file).map(\.line) == [2])
    }
  }

  @Test func `a folder of that name below another is fine`() {
    let file = SourceFile(path: "README.md", text: "STATE/wo" + "rk/web and $HOME/ro" + "ot/x")
    #expect(litterFindings(file) == [])
  }
}
