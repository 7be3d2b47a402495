import MusterState

/// Every command, declared.
enum CommandRules {
  static let json = OptionRule("json", .none, "print JSON")
  static let control = OptionRule(
    "control", .path("SOCKET"), "the agent's control socket; default: MUSTER_CONTROL")

  static var all: [CommandRule] {
    [initialize, agent] + questions + releases + upgrades + orders + tools
  }

  private static var initialize: CommandRule {
    CommandRule(
      "init", "Make a new cluster's file and its operator's key.",
      options: [
        OptionRule("name", .text("NAME"), "the cluster's name", isRequired: true),
        OptionRule(
          "expect", .count(1...10_000), "how many nodes it is planned for", isRequired: true),
        OptionRule("out", .path("DIR"), "where both files are written", isRequired: true), json,
      ],
      notes: """
        Copy DIR/cluster to every machine and keep DIR/authority.key off them. Nothing is started:
        the cluster is founded when N agents with this file see each other.
        """, action: InitCommand.run)
  }

  private static var agent: CommandRule {
    CommandRule(
      "agent", "Run the daemon of this machine, in the foreground.",
      options: AgentCommand.options,
      notes: """
        What --config gives need not be given again; a flag wins over the file. --cluster, --name,
        --state, --shared, --bind and --control are needed in one place or the other.
        """, action: AgentCommand.run)
  }

  private static var questions: [CommandRule] {
    [
      CommandRule(
        "members", "List the members as this node sees them.", options: [control, json],
        action: MembersCommand.run),
      CommandRule(
        "status", "Show leader, agreement, release and plan.", options: [control, json],
        action: StatusCommand.run),
      CommandRule(
        "leader", "Show who leads, and with --explain why.", options: leaderOptions,
        notes: leaderNotes, action: LeaderCommand.run),
      CommandRule(
        "leader show", "The same.", options: leaderOptions, notes: leaderNotes,
        action: LeaderCommand.run),
      CommandRule(
        "get", "Print a node's value, or a cluster-wide one.",
        operands: [
          OperandRule("NODE|cluster", "a node's name or identity, or `cluster`"),
          OperandRule("KEY", "without it: all keys", isRequired: false),
        ], options: [control, json], action: GetCommand.run),
      CommandRule(
        "events", "Print what has happened, one event a line.",
        options: [
          OptionRule("follow", .none, "go on with events as they happen"),
          OptionRule("replay", .none, "begin with what the agent still knows"),
          OptionRule("include", .text("NODE"), "only events about this node", isRepeated: true),
          control, json,
        ],
        notes: "Without --follow and --replay it prints what the agent still knows, and ends.",
        action: EventsCommand.run),
      CommandRule(
        "wait", "Wait until the cluster is as described.",
        options: [
          OptionRule("members", .count(0...Limits.members), "exactly N members are alive"),
          OptionRule("converged", .none, "all live members agree on one state"),
          OptionRule("leader", .none, "somebody leads"),
          OptionRule(
            "role", .numbered("ROLE"), "exactly N live members have the role", isRepeated: true),
          OptionRule("version", .text("V"), "V runs and is ready on every live member"),
          OptionRule("timeout", .duration, "give up after this; default 60s"), control, json,
        ],
        notes: """
          All conditions must hold at once. Exit code 3 when the time is over, with what is missing.
          An agent that is just starting is waited for, up to 5s.
          """, action: WaitCommand.run),
    ]
  }

  private static var leaderOptions: [OptionRule] {
    [
      OptionRule("explain", .none, "voters, promises, and what an election waits for"),
      OptionRule("check", .none, "exit 0 if this node leads and goes on to, and 1 otherwise"),
      OptionRule("guarantee", .duration, "with --check: for how long; default 2s"), control, json,
    ]
  }

  private static let leaderNotes = """
    --check is for scripts: 0 means that nobody else leads before the guarantee is over, whatever
    the network does. The longest that can be asked for is the lease, 3.27 s.
    """

  private static var orders: [CommandRule] {
    [
      CommandRule(
        "set", "Set a value of this node, or of the whole cluster.",
        operands: [
          OperandRule("KEY", "letters, digits and . _ - /"),
          OperandRule("VALUE", "an empty one deletes the key"),
        ],
        options: [
          OptionRule("cluster", .none, "ask the leader to commit it for all; `version` upgrades"),
          control, json,
        ], action: SetCommand.run),
      CommandRule(
        "leader step-down", "Have another voter lead.",
        options: [
          OptionRule("to", .text("NODE"), "the voter to take over; default: who stands first"),
          control, json,
        ],
        notes: """
          Any node can be asked. The leader lets go of its lease first; done means that another one
          leads. The old leader does not stand for the next four seconds.
          """, action: StepDownCommand.run),
      CommandRule(
        "cluster recover", "Let the cluster go on from this node after a lost majority.",
        options: [
          OptionRule("authority", .path("KEY"), "the operator's key", isRequired: true),
          OptionRule(
            "absorb", .text("FOUNDING"), "with a second founding of this cluster: its nodes follow",
            isRepeated: true),
          OptionRule("force", .none, "even though a leader is there"),
          OptionRule("yes", .none, "do not ask"), control, json,
        ],
        notes: """
          Only when the majority of the voters will never come back. It prints what will be lost and
          asks for the cluster's name. Run it on the node with the newest register, once: `muster
          leader --explain` shows it on each.
          """, action: RecoverCommand.run),
      CommandRule(
        "leave", "Take this node out of the cluster, and end its agent.",
        options: [control, json], action: LeaveCommand.run),
      CommandRule(
        "forget", "Declare a node gone for good.",
        operands: [OperandRule("NODE", "its name or identity")],
        options: [
          OptionRule("authority", .path("KEY"), "the operator's key; needed for a live node"),
          control, json,
        ], action: ForgetCommand.run),
    ]
  }

  private static var tools: [CommandRule] {
    [
      CommandRule(
        "config check", "Check a configuration file.",
        operands: [OperandRule("FILE", "such as muster.yaml")], options: [json],
        action: ConfigurationCommand.run),
      CommandRule(
        "completion", "Print a completion script for a shell.",
        operands: [OperandRule("SHELL", "bash")],
        notes: "Use it with: source <(muster completion bash)", action: CompletionCommand.run),
      CommandRule(
        "version", "Print the version of this program.", options: [json],
        action: VersionCommand.run),
    ]
  }
}
