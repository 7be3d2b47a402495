import MusterProtocol
import MusterState

/// One service as `muster.yaml` describes it: what to run for which roles, and how to tell that
/// it works. The texts are templates, filled in anew for every start.
package struct ServiceDefinition: Hashable, Sendable {
  package var name: String
  package var roles: [Role]
  /// The program and its arguments. A program without a slash is looked for in the release's
  /// `bin`, in the release's directory, and on the PATH, in this order.
  package var command: [Template]
  /// Added to the agent's own environment; sorted by name.
  package var environment: [EnvironmentVariable]
  package var templates: [TemplateFile]
  /// `nil`: ready when it has run for half a second.
  package var probe: ProbeRule?
  package var stop: StopRule
  package var drain: DrainRule?
  package var restart: RestartRule
  /// Prints the version of what runs; empty: the release's version is believed.
  package var version: [Template]
  package var reload: ReloadRule

  package init(
    name: String, roles: [Role], command: [Template],
    environment: [EnvironmentVariable] = [], templates: [TemplateFile] = [],
    probe: ProbeRule? = nil, stop: StopRule = StopRule(), drain: DrainRule? = nil,
    restart: RestartRule = RestartRule(), version: [Template] = [],
    reload: ReloadRule = .signal(1)
  ) {
    self.name = name
    self.roles = roles
    self.command = command
    self.environment = environment
    self.templates = templates
    self.probe = probe
    self.stop = stop
    self.drain = drain
    self.restart = restart
    self.version = version
    self.reload = reload
  }
}

package struct EnvironmentVariable: Hashable, Sendable {
  package var name: String
  package var value: Template
  package init(name: String, value: Template) {
    self.name = name
    self.value = value
  }
}

/// A file that is rendered into the service's work directory.
package struct TemplateFile: Hashable, Sendable {
  package enum Change: String, Hashable, Sendable, CaseIterable { case restart, reload }

  package var content: Template
  /// A path below the work directory.
  package var target: String
  /// What a change of the rendered content does to a running service.
  package var onChange: Change

  package init(content: Template, target: String, onChange: Change) {
    self.content = content
    self.target = target
    self.onChange = onChange
  }
}

/// How to find out whether a service is ready.
package struct ProbeRule: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    /// Passes when the command ends with exit code 0.
    case exec([Template])
    /// Passes when a connection to `address:port` is accepted.
    case tcp(Template)
    /// Passes when a GET of `http://address:port/path` is answered with 200 to 399.
    case http(Template)
  }

  package var kind: Kind
  /// Between the end of one probe and the next. Until the first success at most 200 ms.
  package var interval: TimeSpan
  /// One that takes longer has failed.
  package var timeout: TimeSpan
  /// So many failures in a row make a service not ready.
  package var retries: Int
  /// Failures before the first success count only after this time.
  package var startPeriod: TimeSpan

  package init(
    kind: Kind, interval: TimeSpan = .seconds(1), timeout: TimeSpan = .seconds(1),
    retries: Int = 3, startPeriod: TimeSpan = .seconds(30)
  ) {
    self.kind = kind
    self.interval = interval
    self.timeout = timeout
    self.retries = retries
    self.startPeriod = startPeriod
  }
}

/// How a service is asked to end. After `limit` its whole process group is killed.
package struct StopRule: Hashable, Sendable {
  package var signal: Int32
  package var limit: TimeSpan
  package init(signal: Int32 = 15, limit: TimeSpan = .seconds(10)) {
    self.signal = signal
    self.limit = limit
  }
}

/// A command that runs before the stop signal, such as one that lets work in hand finish. The
/// signal follows when it has ended, however it ended, or when `limit` is over.
package struct DrainRule: Hashable, Sendable {
  package var command: [Template]
  package var limit: TimeSpan
  package init(command: [Template], limit: TimeSpan = .seconds(10)) {
    self.command = command
    self.limit = limit
  }
}

/// What happens when a service ends by itself. The wait doubles from `minimum` to `maximum`, and
/// starts over once the service has run for `maximum`.
package struct RestartRule: Hashable, Sendable {
  package enum Policy: String, Hashable, Sendable, CaseIterable {
    case always
    /// An end with exit code 0 is final, and good.
    case onFailure = "on-failure"
    /// Every end is final.
    case never
  }

  package var policy: Policy
  package var minimum: TimeSpan
  package var maximum: TimeSpan

  package init(
    policy: Policy = .always, minimum: TimeSpan = .milliseconds(500),
    maximum: TimeSpan = .seconds(30)
  ) {
    self.policy = policy
    self.minimum = minimum
    self.maximum = maximum
  }

  /// The wait after the `failures`th end in a row, without any randomness.
  package func wait(afterFailures failures: Int) -> TimeSpan {
    precondition(failures > 0, "there is a wait only after an end")
    var wait = minimum
    for _ in 1..<failures where wait < maximum { wait = wait * 2 }
    return min(wait, maximum)
  }
}

/// How a running service is told that its files have changed.
package enum ReloadRule: Hashable, Sendable {
  case signal(Int32)
  /// When the command fails, the service is restarted.
  case command([Template], limit: TimeSpan)
}
