/// Colour, used sparingly: only where a word means that somebody should look.
struct TextStyle {
  enum Colour: String {
    case plain = ""
    case bold = "1"
    case green = "32"
    case yellow = "33"
    case red = "31"
  }

  var isColoured: Bool

  func apply(_ colour: Colour, _ text: String) -> String {
    isColoured && colour != .plain ? "\u{1b}[\(colour.rawValue)m\(text)\u{1b}[0m" : text
  }

  /// Text that others chose, fit for a terminal: control characters cannot steer it.
  static func safe(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0..<0x20, 0x7f..<0xa0, 0x2028, 0x2029, 0x200e, 0x200f, 0x202a...0x202e, 0x2066...0x2069:
        result += "?"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

/// Columns that line up.
struct TextTable {
  struct Cell {
    var text: String
    var colour = TextStyle.Colour.plain
    init(_ text: String, _ colour: TextStyle.Colour = .plain) {
      self.text = TextStyle.safe(text.isEmpty ? "-" : text)
      self.colour = colour
    }
  }

  private var rows: [[Cell]]

  init(_ titles: [String]) { rows = [titles.map { Cell($0, .bold) }] }

  mutating func add(_ cells: [Cell]) {
    precondition(cells.count == rows[0].count, "every row has every column")
    rows.append(cells)
  }

  func text(_ style: TextStyle) -> String {
    let widths = rows[0].indices.map { column in
      rows.map { $0[column].text.count }.max() ?? 0
    }
    return rows.map { row in
      let line = row.indices.map { column in
        let cell = row[column]
        let padding = column == row.indices.last ? 0 : widths[column] - cell.text.count
        return style.apply(cell.colour, cell.text) + String(repeating: " ", count: padding)
      }
      return line.joined(separator: "  ") + "\n"
    }.joined()
  }
}
