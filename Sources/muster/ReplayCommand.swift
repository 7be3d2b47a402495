import MusterAgent
import MusterProtocol
import MusterSimulator
import MusterSystem

/// `muster replay`: a journal of a real agent through the same core.
enum ReplayCommand {
  /// The largest journal that is read.
  private static let limit = 8 << 30

  static var rule: CommandRule {
    CommandRule(
      "replay", "Run a recorded agent again, and compare.",
      operands: [OperandRule("JOURNAL", "what `muster agent --journal FILE` wrote")],
      options: [
        OptionRule("quiet", .none, "no events, only what came of it"),
        OptionRule("json", .none, "print JSON"),
      ],
      notes: """
        Prints what happened to that node, with the seconds since its start, and holds it to the
        promises that one node alone can keep. The first turn whose effects are not those of the
        journal, or that breaks a promise, ends it with exit code 1. A journal holds no key, and
        what its node was told in confidence: keep it like the node's state.
        """, action: run)
  }

  private struct Ending {
    var step = JournalReplay.Step()
    /// How the file ended.
    var text = ""
    var isDamaged = false
  }

  private static func run(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    var isGood = false
    let code = context.run(invocation) { () throws(CommandFailure) in
      let path = invocation.operand(0) ?? ""
      var reader = try open(path)
      let header = reader.header
      let console = context.console
      let isTalking = !invocation.wantsJson && !invocation.has("quiet")
      var replay: JournalReplay
      do throws(PeerError) {
        replay = try JournalReplay(
          header, cryptography: ReplayingCryptography(publicKey: header.publicKey))
      } catch {
        throw CommandFailure(.failed, "\(path): its node cannot be made: \(error)")
      }
      if !invocation.wantsJson { console.line(heading(header)) }
      let ending = try play(&replay, &reader, path) { if isTalking { console.line($0) } }
      isGood = ending.step.isGood && !ending.isDamaged
      if invocation.wantsJson {
        console.line(Json(report(header, replay, ending)).text)
      } else {
        for line in lines(replay, ending) { console.line(line) }
      }
    }
    return code == .done && !isGood ? .failed : code
  }

  private static func open(_ path: String) throws(CommandFailure) -> JournalReader {
    let bytes: [UInt8]?
    do throws(SystemError) { bytes = try Files.read(path, limit: limit) } catch {
      throw CommandFailure(.usage, "cannot read the journal: \(error)")
    }
    guard let bytes else { throw CommandFailure(.usage, "there is no file \(path)") }
    do throws(JournalError) { return try JournalReader(bytes) } catch {
      switch error {
      case .noJournal: throw CommandFailure(.usage, "\(path) is no journal of a muster agent")
      case .noHeader: throw CommandFailure(.failed, "\(path) ends before its node was described")
      case .malformed: throw CommandFailure(.failed, "\(path) is of another version of muster")
      }
    }
  }

  private static func play(
    _ replay: inout JournalReplay, _ reader: inout JournalReader, _ path: String,
    _ print: (String) -> Void
  ) throws(CommandFailure) -> Ending {
    var ending = Ending()
    while ending.step.isGood {
      let piece: JournalReader.Piece
      do throws(JournalError) { piece = try reader.next() } catch {
        throw CommandFailure(
          .failed, "\(path): turn \(replay.turns + 1) is of another version of muster")
      }
      switch piece {
      case .turn(let turn):
        ending.step = replay.play(turn)
        for event in ending.step.events { print(event) }
        continue
      case .ending(let reason): ending.text = "the journal ends: \(reason)"
      case .end: ending.text = "the journal ends behind a whole record"
      case .torn:
        ending.text =
          "the journal ends in a torn record: the agent was killed, or its disk was full"
      case .damaged(let offset):
        ending.text = "the journal is damaged at byte \(offset): what follows is not read"
        ending.isDamaged = true
      }
      return ending
    }
    ending.text = "the replay stops there"
    return ending
  }

  // MARK: - Output

  private static func heading(_ header: JournalHeader) -> String {
    let configuration = header.configuration
    return "\(configuration.name) of \(configuration.clusterName), start "
      + "\(configuration.incarnation), muster \(configuration.software), "
      + Timestamp.utc(header.wallClock)
  }

  private static func lines(_ replay: JournalReplay, _ ending: Ending) -> [String] {
    var lines: [String] = []
    if let difference = ending.step.difference {
      lines.append(
        "DIFFERS in turn \(difference.turn) at \(seconds(difference.at)): \(difference.text)")
    }
    if let violation = ending.step.violation { lines.append("BROKEN \(violation)") }
    lines.append(ending.text)
    lines.append(
      "\(replay.turns) turns in \(replay.time.milliseconds / 1_000) s, \(replay.events) events, "
        + "promises checked \(replay.looks) times"
        + (ending.step.difference == nil ? ": all effects are the same" : ""))
    return lines
  }

  private static func report(
    _ header: JournalHeader, _ replay: JournalReplay, _ ending: Ending
  ) -> [ReportEntry] {
    let difference: ReportValue =
      ending.step.difference.map { difference -> ReportValue in
        .table([
          ReportEntry("turn", .count(Int64(difference.turn))),
          ReportEntry("at_ms", .count((difference.at - .zero).milliseconds)),
          ReportEntry("what", .text(difference.text)),
        ])
      } ?? .none
    return [
      ReportEntry("node", .text(header.configuration.name)),
      ReportEntry("software", .text(header.configuration.software)),
      ReportEntry("started", .text(Timestamp.utc(header.wallClock))),
      ReportEntry("turns", .count(Int64(replay.turns))),
      ReportEntry("time_ms", .count(replay.time.milliseconds)),
      ReportEntry("events", .count(Int64(replay.events))),
      ReportEntry("checks", .count(Int64(replay.looks))), ReportEntry("difference", difference),
      ReportEntry(
        "violation", ending.step.violation.map { ReportValue.text($0.description) } ?? .none),
      ReportEntry("ending", .text(ending.text)), ReportEntry("damaged", .truth(ending.isDamaged)),
    ]
  }
}
