import MusterProtocol
import MusterState

extension MemberView {
  /// One element of `muster members --json`.
  package func json(at now: Instant) -> Json {
    [
      "name": .string(name),
      "id": .string(id.description),
      "address": .string(address.description),
      "state": .string(state.name),
      "incarnation": .count(incarnation.counter),
      "role": .text(role?.name),
      "leader": .bool(isLeader),
      "voter": .bool(isVoter),
      "version": .text(runningVersion),
      "copy": .text(running?.directoryName),
      "corrupt": .text(corrupt?.directoryName),
      "ready": .bool(isReady),
      "acknowledgement": .text(acknowledgement?.name),
      "since_ms": .integer((now - since).milliseconds),
      "software": .text(software),
      "storage": .text(storage),
      "own_copies": .bool(keepsOwnCopies),
      "volume": volume?.json ?? .null,
      "failure": .text(failure),
      "progress": progress?.json ?? .null,
      "services": .array(services.map(\.json)),
      "data": .object(data.map { JsonMember($0.key, .string($0.value)) }),
    ]
  }
}

extension ServiceStatus {
  var json: Json {
    ["name": .string(name), "state": .string(state.name), "starts": .count(starts)]
  }
}

extension StorageVolume {
  var json: Json {
    [
      "type": .text(type), "identifier": .string(String(identifier, radix: 16)),
      "total": .count(totalBytes), "free": .count(freeBytes),
    ]
  }
}

extension FetchProgress {
  var json: Json {
    [
      "received": .count(received), "total": total == 0 ? .null : .count(total),
      "rate": rate == 0 ? .null : .count(rate),
      "seconds_left": secondsLeft.map { .count($0) } ?? .null,
    ]
  }
}

extension ClusterView {
  /// All members, sorted by name: `muster members --json`.
  package func membersJson(at now: Instant) -> Json {
    let sorted = members.sorted { ($0.name, $0.id) < ($1.name, $1.id) }
    return .array(sorted.map { $0.json(at: now) })
  }

  /// What people call a node: its name, or the beginning of its identity.
  package func name(of id: NodeID) -> String {
    members.first { $0.id == id }?.name ?? (id == node ? name : id.short)
  }
}
