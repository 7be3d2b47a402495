import MusterState

/// Something that happened inside this agent and not in the protocol.
package enum LocalEvent: Hashable, Sendable {
  case agentStarted(software: String)
  case agentStopping(reason: String)
  /// This node, as the leader, has begun to fetch.
  case releaseFetching(version: String, source: String)
  /// The fetched release is on the shared filesystem, for everyone.
  case releasePublished(ReleaseReference)
  /// Every byte of a published release was checked on this node's mount.
  case releaseVerified(ReleaseReference)
  /// A fetch, a verification or an activation failed.
  case releaseFailed(version: String, reason: String)
  /// What came of an order to remove releases from the shared filesystem.
  case releasesCollected(outcome: String)
  case serviceStarting(name: String, version: String)
  /// The service passes its probe.
  case serviceReady(name: String, version: String)
  /// The service passed its probe and no longer does.
  case serviceUnready(name: String, reason: String)
  case serviceStopping(name: String)
  case serviceStopped(name: String, status: String)
  /// The service ended or could not be started; it is tried again unless `isFinal`.
  case serviceFailed(name: String, reason: String, isFinal: Bool)
  case storageChanged(state: String)
  /// The recording of `--journal` ended before the agent did.
  case journalEnded(reason: String)

  /// The word in `kind`.
  package var kind: String {
    switch self {
    case .agentStarted: "agent-started"
    case .agentStopping: "agent-stopping"
    case .releaseFetching: "release-fetching"
    case .releasePublished: "release-published"
    case .releaseVerified: "release-verified"
    case .releaseFailed: "release-failed"
    case .releasesCollected: "releases-collected"
    case .serviceStarting: "service-starting"
    case .serviceReady: "service-ready"
    case .serviceUnready: "service-unready"
    case .serviceStopping: "service-stopping"
    case .serviceStopped: "service-stopped"
    case .serviceFailed: "service-failed"
    case .storageChanged: "storage-changed"
    case .journalEnded: "journal-ended"
    }
  }

  var details: [JsonMember] {
    switch self {
    case .agentStarted(let software): [JsonMember("software", .string(software))]
    case .agentStopping(let reason): [JsonMember("reason", .string(reason))]
    case .releaseFetching(let version, let source):
      [JsonMember("version", .string(version)), JsonMember("source", .string(source))]
    case .releasePublished(let release), .releaseVerified(let release): release.details
    case .releasesCollected(let outcome): [JsonMember("outcome", .string(outcome))]
    case .releaseFailed(let version, let reason):
      [JsonMember("version", .string(version)), JsonMember("reason", .string(reason))]
    case .serviceStarting(let name, let version), .serviceReady(let name, let version):
      [JsonMember("service", .string(name)), JsonMember("version", .string(version))]
    case .serviceStopping(let name): [JsonMember("service", .string(name))]
    case .serviceUnready(let name, let reason):
      [JsonMember("service", .string(name)), JsonMember("reason", .string(reason))]
    case .serviceStopped(let name, let status):
      [JsonMember("service", .string(name)), JsonMember("status", .string(status))]
    case .serviceFailed(let name, let reason, let isFinal):
      [
        JsonMember("service", .string(name)), JsonMember("reason", .string(reason)),
        JsonMember("final", .bool(isFinal)),
      ]
    case .storageChanged(let state): [JsonMember("state", .string(state))]
    case .journalEnded(let reason): [JsonMember("reason", .string(reason))]
    }
  }
}

extension ReleaseReference {
  var details: [JsonMember] {
    [
      JsonMember("version", .string(version)),
      JsonMember("digest", .string(manifest.description)),
      JsonMember("repair", .count(repair)),
    ]
  }
}
