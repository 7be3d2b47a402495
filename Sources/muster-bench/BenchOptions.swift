import MusterSystem

/// What the command line asks for.
struct BenchOptions: Sendable {
  struct Refusal: Error {
    var text: String
  }

  static let usage = """
    usage: muster-bench CASE… [--seeds N] [--from N] [--nodes N,N…] [--jobs N] [--short|--full]
                              [--only TEXT] [--side SIDE] [--limit S] [--parts] [--json FILE]

    Runs Muster and the published protocol through the same experiments, on one simulated network,
    with the same seeds and faults. Exit code 1: a target was missed.

      CASE      1          one member crashes, nothing is lost
                1b         a pause that every member survives
                2          members are blocked, once, and again and again
                3          members have their turns late
                4          joins and a crash while datagrams are lost
                5          all start at once and know one address
                6          gray members: they send, and hardly hear
                7          one update
                8          more changes than the network takes; what a comparison takes
                9          one member in ten replaced an hour
                growth     a calm cluster, from 8 members to 2,048 (with --full, 10,000)
                reference  the published protocol beside what is published of it
                gate       the shortest of 1, 2, 4, 7 and 9
      --seeds   so many runs of each setting; default: the case's own
      --from    the first seed; default 1
      --nodes   other sizes than the case's own
      --jobs    so many threads; default: one a processor
      --only    settings whose name holds this text
      --side    ours, reference or swim alone; a ratio to who did not run is not met
      --limit   begins no run after so many seconds; what did not run is not met
      --short   fewer settings, shorter runs
      --full    every setting, long runs: hours
      --parts   with 4, 5, 7 and growth: what Muster's datagrams were sent for
      --json    write the lines to this file as well

    """

  var cases: [String] = []
  var seeds: Int?
  var first: UInt64 = 1
  var nodes: [Int]?
  var jobs = ParallelWork<Int>.processors
  var isShort = false
  var isFull = false
  var showsParts = false
  /// For the gate: as little as shows a difference.
  var isTiny = false
  var json: String?
  var only: String?
  var side: Side?
  var limit: Int?

  init(_ arguments: [String]) throws(Refusal) {
    var rest = arguments[...]
    while let word = rest.popFirst() {
      switch word {
      case "--short": isShort = true
      case "--full": isFull = true
      case "--parts": showsParts = true
      case "--only": only = try Self.value(word, &rest)
      case "--side":
        let name = try Self.value(word, &rest)
        guard let known = Side(rawValue: name) else {
          throw Refusal(text: "--side \"\(name)\" is none of ours, reference and swim")
        }
        side = known
      case "--limit": limit = try Self.number(word, &rest, 1...1_000_000)
      case "--json": json = try Self.value(word, &rest)
      case "--seeds": seeds = try Self.number(word, &rest, 1...1_000_000)
      case "--from": first = UInt64(try Self.number(word, &rest, 0...Int.max))
      case "--jobs": jobs = try Self.number(word, &rest, 1...1_024)
      case "--nodes":
        let words = try Self.value(word, &rest).split(separator: ",")
        var sizes: [Int] = []
        for size in words { sizes.append(try Self.number(word, String(size), 8...10_000)) }
        nodes = sizes
      default:
        guard BenchCase.names.contains(word) else {
          throw Refusal(text: "\"\(word)\" is no case and no option")
        }
        cases.append(word)
      }
    }
    if cases.isEmpty { throw Refusal(text: "no case is named") }
  }

  private static func value(
    _ name: String, _ rest: inout ArraySlice<String>
  ) throws(Refusal) -> String {
    guard let value = rest.popFirst() else { throw Refusal(text: "\(name) needs a value") }
    return value
  }

  private static func number(
    _ name: String, _ rest: inout ArraySlice<String>, _ range: ClosedRange<Int>
  ) throws(Refusal) -> Int {
    try number(name, try value(name, &rest), range)
  }

  private static func number(
    _ name: String, _ text: String, _ range: ClosedRange<Int>
  ) throws(Refusal) -> Int {
    guard let number = Int(text), range.contains(number) else {
      throw Refusal(
        text: "\(name) \"\(text)\" is no number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// One of three, by how much is asked for.
  func extent<Value>(short: Value, standard: Value, full: Value) -> Value {
    if isFull { return full }
    return isShort || isTiny ? short : standard
  }

  /// The seeds of a case that would like `standard` of them, or `short` in a short run.
  func seeds(_ standard: Int, short: Int) -> [UInt64] {
    let count = seeds ?? (isTiny ? min(short, 2) : isShort ? short : standard)
    return (0..<count).map { first + UInt64($0) }
  }
}
