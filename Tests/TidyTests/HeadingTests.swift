import Foundation
import Testing

/// Comments cite the protocol's page by its headings; a heading that is renamed leaves them
/// pointing nowhere.
private let protocolPage = "proto/README.md"

/// The headings in quotation marks that comments of a file cite near the page's name.
func citedHeadings(_ file: SourceFile) -> [(index: Int, heading: String)] {
  file.lines.indices.flatMap { index -> [(index: Int, heading: String)] in
    guard file.lines[index].contains("`\(protocolPage)`") else { return [] }
    // A citation may break across lines.
    let around = file.lines[max(0, index - 1)..<min(file.lines.count, index + 2)]
      .filter { $0.drop { $0 == " " }.hasPrefix("///") }.joined(separator: " ")
    return around.matches(of: #/"([A-Z][a-z ]+)"/#).map { (index, String($0.1)) }
  }
}

@Suite struct `The headings of the protocol's page` {
  private var headings: Set<String> {
    let page = SourceTree.all.first { $0.path == protocolPage }
    return Set(
      (page?.lines ?? []).filter { $0.hasPrefix("##") }
        .map { String($0.drop { $0 == "#" || $0 == " " }) })
  }

  @Test func `are there for every comment that cites them`() {
    let headings = headings
    let cited = SourceTree.sources.flatMap { file in
      citedHeadings(file).map { (file, $0.index, $0.heading) }
    }
    #expect(Set(cited.map(\.2)).count >= 8, "the citations were not found")
    let missing = cited.filter { !headings.contains($0.2) }
      .map { Finding($0.0, index: $0.1, "\(protocolPage) has no heading \"\($0.2)\"") }
    #expect(missing == [])
  }

  @Test func `are found in a comment that breaks`() {
    let text = "/// See `proto/README.md`,\n/// \"First contact\".\nstruct Planted {}"
    let file = SourceFile(path: "Sources/MusterProtocol/Planted.swift", text: text)
    #expect(citedHeadings(file).map(\.heading) == ["First contact"])
  }
}
