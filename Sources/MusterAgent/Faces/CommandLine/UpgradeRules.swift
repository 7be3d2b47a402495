/// The commands about upgrades, declared.
extension CommandRules {
  static var upgrades: [CommandRule] {
    [
      CommandRule(
        "upgrade", "Bring every node to another release.",
        operands: [OperandRule("VERSION", "a known release")],
        options: [
          OptionRule(
            "batch", .text("N|N%|one-by-one"), "how many move together; default: all at once"),
          OptionRule(
            "policy", .choice(["proceed", "abort"]),
            "what a mute node does to the plan; default proceed"),
          OptionRule("stop-first", .none, "stop everything before anything is fetched"),
          OptionRule("dry-run", .none, "print the checks and the waves, and change nothing"),
          control, json,
        ],
        notes: """
          With --batch one node goes first and the leader last; each wave waits until all that have
          moved are ready. A failure brings all back to the old release, without a download.
          `muster set --cluster version VERSION` is the same without options.
          """, action: UpgradeCommand.run),
      CommandRule(
        "upgrade status", "Show the upgrade under way, one line a node.",
        options: [
          OptionRule("watch", .none, "print it anew whenever it changes, until it is over"),
          control, json,
        ],
        notes: "With --watch it exits with 1 if the upgrade was given up or rolled back.",
        action: UpgradeStatusCommand.run),
      CommandRule(
        "upgrade pause", "Let the present wave end, and stop nobody else.",
        options: [control, json], action: UpgradeSteering.pause),
      CommandRule(
        "upgrade resume", "Go on with a paused upgrade.", options: [control, json],
        action: UpgradeSteering.resume),
      CommandRule(
        "upgrade abort", "Bring back what has moved, and give the upgrade up.",
        options: [control, json], action: UpgradeSteering.abort),
      CommandRule(
        "upgrade release-hold", "Run the old release again on a node that a plan has stopped.",
        operands: [OperandRule("NODE", "the node whose agent is asked")],
        options: [
          OptionRule("authority", .path("KEY"), "the operator's key", isRequired: true), control,
          json,
        ],
        notes: """
          Only for a node that is cut off from the others in the middle of an upgrade. It runs what
          it ran before until it hears what became of the plan.
          """, action: ReleaseHoldCommand.run),
    ]
  }
}
