/// `muster status`.
enum StatusCommand {
  static func run(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    context.run(invocation) { () throws(CommandFailure) in
      let status = try context.ask(try context.client(invocation), "GET", "/status")
      if invocation.wantsJson { return context.console.line(status.text) }
      context.console.print(text(status, context.console.style))
    }
  }

  static func text(_ status: Json, _ style: TextStyle) -> String {
    let lines = [
      ("cluster", cluster(status), TextStyle.Colour.plain),
      ("node", word(status["node"]) + " (" + short(status["node_id"]) + ")", .plain),
      leader(status), converged(status), ("release", release(status["release"]), .plain),
      plan(status["plan"]), repair(status["repair"]),
      index(status["index"]), storage(status["storage"]),
      members(status["members"]),
      ("voters", list(status["voters"]), .plain), settings(status["settings"]),
    ]
    return lines.filter { !$0.1.isEmpty }.map { name, text, colour in
      style.apply(.bold, name) + String(repeating: " ", count: 11 - name.count)
        + style.apply(colour, TextStyle.safe(text)) + "\n"
    }.joined()
  }

  private typealias Line = (String, String, TextStyle.Colour)

  private static func word(_ json: Json?) -> String { json?.string ?? "none" }
  private static func short(_ json: Json?) -> String { String((json?.string ?? "-").prefix(8)) }
  private static func number(_ json: Json?) -> Int64 { json?.integer ?? 0 }

  private static func list(_ json: Json?) -> String {
    (json?.array ?? []).compactMap(\.string).joined(separator: ", ")
  }

  private static func cluster(_ status: Json) -> String {
    let founding =
      status["founding"]?.string.map {
        "founded as \($0.prefix(8))" + (status["sealed"]?.bool == true ? ", sealed" : "")
      } ?? "not founded" + (status["waiting_for"]?.string.map { ": waiting for \($0)" } ?? "")
    return "\(word(status["cluster"])) (\(short(status["cluster_id"]))), \(founding)"
  }

  private static func leader(_ status: Json) -> Line {
    let lease = status["lease"]
    let isValid = lease?["valid"]?.bool == true
    var text = "\(word(status["leader"])), term \(number(status["term"]))"
    if status["leader"]?.string != nil {
      text += isValid ? ", lease valid" : ", not heard of lately"
    }
    if lease?["held_here"]?.bool == true, let left = lease?["remaining_ms"]?.integer {
      text += ", \(Units.duration(milliseconds: left)) left"
    }
    return ("leader", text, isValid ? .plain : .yellow)
  }

  private static func converged(_ status: Json) -> Line {
    let converged = status["converged"]
    let text =
      "\(number(converged?["agree"])) of \(number(converged?["members"])) live members agree"
    guard let held = converged?["for_ms"]?.integer else { return ("converged", text, .yellow) }
    return ("converged", text + ", for \(Units.duration(milliseconds: held))", .plain)
  }

  private static func release(_ release: Json?) -> String {
    guard let version = release?["version"]?.string else { return "none" }
    return "\(version) (\(release?["directory"]?.string ?? ""))"
  }

  private static func plan(_ plan: Json?) -> Line {
    let phase = word(plan?["phase"])
    let failure = plan?["failure"]?.string
    guard phase != "idle" else {
      guard let failure else { return ("plan", phase, .plain) }
      return ("plan", "idle; the last one was given up: \(failure)", .red)
    }
    let waiting = (plan?["participants"]?.array ?? []).map { participant in
      "\(word(participant["node"])) \(participant["acknowledgement"]?.string ?? "mute")"
    }
    return (
      "plan",
      phase + wave(plan) + ": \(word(plan?["from"])) to \(word(plan?["to"])); "
        + waiting.joined(separator: ", ") + (failure.map { "; because \($0)" } ?? ""),
      .yellow
    )
  }

  private static func wave(_ plan: Json?) -> String {
    let waves = number(plan?["waves"])
    let pause = plan?["paused"]?.bool == true ? ", paused" : ""
    return (waves > 1 ? ", wave \(number(plan?["wave"])) of \(waves)" : "") + pause
  }

  private static func repair(_ repair: Json?) -> Line {
    guard let corrupt = repair?["corrupt"]?.string else { return ("repair", "", .plain) }
    guard let failure = repair?["failure"]?.string else {
      return ("repair", "\(corrupt) is corrupt; another copy is being published", .yellow)
    }
    return ("repair", "\(corrupt) is corrupt; given up: \(failure)", .red)
  }

  private static func index(_ index: Json?) -> Line {
    guard let url = index?["url"]?.string else { return ("index", "", .plain) }
    let text = index?["text"]?.string ?? "not looked at yet"
    let isGood = text.hasSuffix(" is the latest") || text.hasSuffix(" is new")
    return ("index", "\(text); \(url)", isGood ? .plain : .yellow)
  }

  private static func storage(_ storage: Json?) -> Line {
    guard let line = storage?["line"]?.string else { return ("storage", "", .plain) }
    var text = line
    if let volume = storage?["volume"], let free = volume["free"]?.integer {
      text += "; \(word(volume["type"])), \(Units.bytes(free)) free"
    }
    let others = (storage?["members"]?.array ?? []).filter {
      !["ready", "read-only"].contains($0["state"]?.string)
    }.map { "\(word($0["node"])) \(word($0["state"]))" }
    if !others.isEmpty { text += "; not ready: " + others.joined(separator: ", ") }
    let isGood = others.isEmpty && ["ready", "read-only"].contains(storage?["state"]?.string)
    return ("storage", text, isGood ? .plain : .yellow)
  }

  private static func members(_ members: Json?) -> Line {
    guard case .object(let states) = members else { return ("members", "", .plain) }
    let isWorrying = number(members?["suspect"]) + number(members?["dead"]) > 0
    let text = states.map { "\($0.value.integer ?? 0) \($0.key)" }.joined(separator: ", ")
    return ("members", text, isWorrying ? .yellow : .plain)
  }

  private static func settings(_ settings: Json?) -> Line {
    guard case .object(let members) = settings else { return ("settings", "", .plain) }
    let text = members.map { "\($0.key)=\($0.value.string ?? "")" }.joined(separator: " ")
    return ("settings", text, .plain)
  }
}
