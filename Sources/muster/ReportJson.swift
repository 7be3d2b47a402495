import MusterAgent
import MusterSimulator

extension Json {
  /// A report in the notation of all other answers.
  init(_ value: ReportValue) {
    switch value {
    case .none: self = .null
    case .truth(let truth): self = .bool(truth)
    case .count(let count): self = .integer(count)
    case .text(let text): self = .string(text)
    case .list(let values): self = .array(values.map { Json($0) })
    case .table(let entries): self.init(entries)
    }
  }

  init(_ entries: [ReportEntry]) {
    self = .object(entries.map { JsonMember($0.name, Json($0.value)) })
  }
}
