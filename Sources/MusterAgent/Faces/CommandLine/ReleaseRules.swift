import MusterState

/// The commands about releases, declared.
extension CommandRules {
  static var releases: [CommandRule] {
    let version = OperandRule("VERSION", "its version")
    return [
      CommandRule(
        "release add", "Announce a release to the cluster.", operands: [version],
        options: [
          OptionRule(
            "source", .text("URL"), "where its archive is: http, https or file; more are mirrors",
            isRequired: true, isRepeated: true),
          OptionRule("sha256", .text("HEX"), "what the archive hashes to", isRequired: true),
          OptionRule("minisign", .text("KEY"), "the public key that must have signed URL.minisig"),
          OptionRule(
            "unpacked", .count(1...Int.max), "bytes that it unpacks to, to check the space first"),
          control, json,
        ],
        notes: "Nothing is fetched before `muster set --cluster version VERSION`.",
        action: ReleaseCommand.run),
      CommandRule(
        "release list", "List the releases, and where they run.", options: [control, json],
        action: ReleaseListCommand.run),
      CommandRule(
        "release show", "Show one release: source, copy, content, nodes.", operands: [version],
        options: [control, json], action: ReleaseShowCommand.run),
      CommandRule(
        "release verify", "Check every byte of a published release on this node.",
        operands: [
          OperandRule("VERSION", "its version; default: what is installed", isRequired: false)
        ],
        options: [
          OptionRule("all", .none, "on every node, each where it runs it from; one line a node"),
          OptionRule("timeout", .duration, "with --all: how long to wait; default 10m"),
          control, json,
        ],
        notes: """
          Names every file that is changed, missing or too many, and exits with 1. The leader then
          publishes another copy; what runs is not touched, and the next start takes the new one.
          With --all a node that lives and has not answered in time is named, and exits with 3.
          """, action: ReleaseVerifyCommand.run),
      CommandRule(
        "release follow", "Install what an index names as the latest version, by itself.",
        operands: [OperandRule("URL", "the index: https, http or file; or off")],
        options: [
          OptionRule("minisign", .text("KEY"), "the public key that must have signed URL.minisig"),
          OptionRule("every", .duration, "how often the leader looks; default 5m, at least 10s"),
          control,
        ],
        notes: """
          Each new version is added and installed once, under the checks of every upgrade. One that
          is known, also because it has failed, is not taken again.
          """, action: ReleaseFollowCommand.run),
      CommandRule(
        "release remove", "Forget a release, and remove its copies.", operands: [version],
        options: [control, json],
        notes: "Refused for what is installed, wanted, or run by any live node.",
        action: ReleaseRemovalCommand.remove),
      CommandRule(
        "release repair", "Publish what is installed again, under the next number.",
        operands: [version], options: [control, json],
        notes: "A copy that a node has found corrupt is repaired without this.",
        action: ReleaseRepairCommand.run),
      CommandRule(
        "release gc", "Remove old copies that nobody needs.", options: [control, json],
        notes: """
          What is installed, the one before it, and what any live node runs stay; so does what is
          younger than an hour.
          """, action: ReleaseRemovalCommand.collect),
    ]
  }
}
