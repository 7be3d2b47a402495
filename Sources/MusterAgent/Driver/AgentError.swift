import MusterProtocol
import MusterState
import MusterSystem

/// Why the agent did not start or could not go on: one line that says what to do.
///
/// Before `run`, nothing was sent; at most the count of starts on disk is one higher.
package enum AgentError: Error, Hashable, Sendable {
  case cluster(ClusterFileError)
  case state(StateError)
  /// An option that fits no machine, or not this one.
  case option(String)
  /// The address of `--bind` cannot be taken.
  case bind(Address, SystemError)
  /// The group of `--multicast` cannot be joined.
  case multicast(Address, SystemError)
  /// The peer does not understand its own durable state.
  case peer(PeerError, path: String)
  /// The kernel refused what every agent needs.
  case system(SystemError)
  /// The control socket or the HTTP address cannot be served.
  case face(HttpError)
  /// The file of `--journal` cannot be made.
  case journal(SystemError)
}

extension AgentError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .cluster(let error): error.description
    case .state(let error): error.description
    case .option(let problem): problem
    case .bind(let address, let error): Self.bind(address, error)
    case .multicast(let group, let error):
      "cannot join the multicast group \(group): \(error); name an interface with --interface, "
        + "or use --multicast off and --join ADDR:PORT"
    case .peer(.unreadableState(let reason), let path):
      "\(path) cannot be used: \(reason); use the muster that wrote it, or move the state "
        + "directory away to join as a new node"
    case .system(let error): "the system refused: \(error)"
    case .face(let error): Self.face(error)
    case .journal(let error):
      "cannot make the journal: \(error); choose another file with --journal"
    }
  }

  /// A socket's path is `--control`, an address `--http`.
  private static func face(_ error: HttpError) -> String {
    func flag(_ place: String) -> String { Address(place) == nil ? "--control" : "--http" }
    switch error {
    case .addressInUse(let place):
      return "cannot listen on \(place): another process does; stop it, or choose another with "
        + flag(place)
    case .cannotListen(let place, let reason):
      return "cannot listen on \(place): \(reason); choose another with \(flag(place))"
    case .notASocket(let place):
      return "cannot listen on \(place): it exists and is no socket; choose another path with "
        + flag(place)
    case .noResources, .nobodyListens, .forbidden, .brokenOff, .timedOut, .malformed:
      return error.description
    }
  }

  private static func bind(_ address: Address, _ error: SystemError) -> String {
    switch error.kind {
    case .addressInUse:
      "cannot listen on \(address): another process has this port; stop it, or choose another "
        + "with --bind"
    case .addressNotAvailable:
      "cannot listen on \(address): no interface of this machine has this address; give one of "
        + "its own with --bind"
    case .notPermitted:
      "cannot listen on \(address): this user may not use the port; choose one above 1023 with "
        + "--bind"
    case .noDevice:
      "there is no interface \(error.subject): see `ip link`, and name one with --interface"
    case .exists, .wouldBlock, .isDirectory, .other:
      "cannot listen on \(address): \(error.reason); choose another with --bind"
    }
  }
}
