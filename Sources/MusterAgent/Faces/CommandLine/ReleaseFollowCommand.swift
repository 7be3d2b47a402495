import MusterState
import MusterSystem

/// `muster release follow`: cluster-wide settings, and so committed, shown and kept like all.
enum ReleaseFollowCommand {
  static func run(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    context.run(invocation) { () throws(CommandFailure) in
      let url = invocation.operands[0]
      if url == "off" {
        guard !invocation.has("minisign"), !invocation.has("every") else {
          throw CommandFailure(.usage, "off takes no further options")
        }
        for key in [IndexOrder.urlKey, IndexOrder.signerKey, IndexOrder.intervalKey] {
          try set(key, "", invocation, context)
        }
        return context.console.line("no index is followed")
      }
      try check(url, invocation)
      let seconds = (invocation.duration("every") ?? 0) / 1_000_000_000
      // The place comes last: it is looked at as soon as it is known.
      try set(IndexOrder.signerKey, invocation.text("minisign") ?? "", invocation, context)
      try set(IndexOrder.intervalKey, seconds == 0 ? "" : "\(seconds)", invocation, context)
      try set(IndexOrder.urlKey, url, invocation, context)
      context.console.line("following \(TextStyle.safe(url)): `muster status` shows what it says")
    }
  }

  private static func check(
    _ url: String, _ invocation: Invocation
  ) throws(CommandFailure) {
    let schemes = ["http://", "https://", "file:///"]
    guard schemes.contains(where: { url.hasPrefix($0) }),
      url.utf8.allSatisfy({ $0 > 32 && $0 < 127 })
    else {
      throw CommandFailure(.usage, "\"\(url)\" is no index: use an https, http or file URL, or off")
    }
    guard invocation.has("minisign") || !url.hasPrefix("http://") else {
      throw CommandFailure(
        .usage, "over http anybody on the way can change an index: use https, or --minisign KEY")
    }
    if let every = invocation.duration("every"),
      !Limits.indexSeconds.contains(every / 1_000_000_000)
    {
      throw CommandFailure(
        .usage, "--every is from \(Limits.indexSeconds.lowerBound)s to a week")
    }
  }

  private static func set(
    _ key: String, _ value: String, _ invocation: Invocation, _ context: CommandContext
  ) throws(CommandFailure) {
    var client = try context.client(invocation)
    client.silence = 60_000_000_000
    _ = try context.ask(
      client, "POST", "/set", ["key": .string(key), "value": .string(value), "cluster": true])
  }
}
