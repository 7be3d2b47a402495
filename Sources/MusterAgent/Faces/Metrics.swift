import MusterProtocol
import MusterState
import MusterSystem

/// What `/metrics` shows.
struct Metrics {
  let view: ClusterView
  let history: EventHistory
  let usage: ProcessUsage
  /// What each HTTP face has counted, by its name.
  let faces: [(name: String, counters: HttpCounters)]
  let overflow: DatagramOverflow
  /// What was handed on to nodes that share no directory; `nil` where that is not done.
  let served: ServedReleases.Counters?

  var text: MetricsText {
    var text = MetricsText()
    addCluster(to: &text)
    addLeadership(to: &text)
    addServices(to: &text)
    addTraffic(to: &text)
    addProtocol(to: &text)
    addFaces(to: &text)
    addServed(to: &text)
    addProcess(to: &text)
    return text
  }

  private func addCluster(to text: inout MetricsText) {
    text.add(
      "muster_build_info", .gauge, "The agent's version, cluster and node; always 1.",
      MetricsText.Sample(1).labelled("version", MusterVersion.current)
        .labelled("cluster", view.clusterName).labelled("node", view.name))
    text.add(
      "muster_members", .gauge, "Members as this node sees them, by state.",
      MemberState.allCases.map { state in
        MetricsText.Sample(view.members.count { $0.state == state })
          .labelled("state", state.name)
      })
    text.add(
      "muster_agreeing_members", .gauge,
      "Live members known to share this node's state exactly.", MetricsText.Sample(view.agree))
    text.add(
      "muster_converged", .gauge, "Whether all live members share one state.",
      MetricsText.Sample(view.convergedSince != nil && view.agree == view.live))
    text.add(
      "muster_founded", .gauge, "Whether this node belongs to a founded cluster.",
      MetricsText.Sample(view.founding != nil))
    text.add(
      "muster_sealed", .gauge, "Whether the founding is sealed.",
      MetricsText.Sample(view.isSealed))
  }

  private func addLeadership(to text: inout MetricsText) {
    text.add("muster_term", .gauge, "The highest term seen.", MetricsText.Sample(view.term))
    text.add(
      "muster_leader", .gauge, "Whether this node holds a valid lease.",
      MetricsText.Sample(view.holdsLease))
    text.add(
      "muster_leader_seen", .gauge, "Whether a leader is known and was heard of lately.",
      MetricsText.Sample(view.hasValidLease))
    text.add(
      "muster_lease_remaining_seconds", .gauge, "Time left on this node's own lease; 0 without.",
      MetricsText.Sample(seconds: view.leaseRemaining?.nanoseconds ?? 0))
    text.add(
      "muster_voters", .gauge, "Voters of the committed register.",
      MetricsText.Sample(view.body?.voters.count ?? 0))
    let versions = [("known", view.register), ("committed", view.committed)]
    text.add(
      "muster_register_term", .gauge, "The term of the register's version.",
      versions.map { MetricsText.Sample($0.1.term).labelled("register", $0.0) })
    text.add(
      "muster_register_step", .gauge, "The register's version within its term.",
      versions.map { MetricsText.Sample($0.1.count).labelled("register", $0.0) })
    let phase = view.body?.plan?.phase.name ?? "idle"
    text.add(
      "muster_plan_phase", .gauge, "Whether the committed plan is in this phase.",
      (["idle"] + Plan.Phase.allCases.map(\.name)).map {
        MetricsText.Sample($0 == phase).labelled("phase", $0)
      })
    if let release = view.body?.current {
      text.add(
        "muster_release_info", .gauge, "The committed release; always 1.",
        MetricsText.Sample(1).labelled("version", release.version)
          .labelled("digest", release.manifest.description))
    }
  }

  private func addServices(to text: inout MetricsText) {
    let own = view.members.first { $0.id == view.node }
    let services = own?.services ?? []
    text.add(
      "muster_services", .gauge, "Services of this node, by state.",
      ServiceStatus.State.allCases.map { state in
        MetricsText.Sample(services.count { $0.state == state }).labelled("state", state.name)
      })
    text.add(
      "muster_services_ready", .gauge, "Whether every service of this node passes its probe.",
      MetricsText.Sample(own?.isReady ?? false))
    text.add(
      "muster_service_starts_total", .counter, "Starts of each service since the agent's.",
      services.map { MetricsText.Sample($0.starts).labelled("service", $0.name) })
  }

  private func addTraffic(to text: inout MetricsText) {
    let counters = view.counters
    func add(_ name: String, _ help: String, _ value: UInt64) {
      text.add("muster_\(name)_total", .counter, help, MetricsText.Sample(value))
    }
    add("received_datagrams", "Datagrams received.", counters.datagramsReceived)
    add("sent_datagrams", "Datagrams sent to one address.", counters.datagramsSent)
    add("received_bytes", "Bytes of datagrams received.", counters.bytesReceived)
    add("sent_bytes", "Bytes of datagrams sent.", counters.bytesSent)
    add("sent_multicasts", "Beacons sent to the multicast group.", counters.multicastsSent)
    add(
      "overflowed_datagrams", "Datagrams that no room was left for while others were read.",
      overflow.received)
    add(
      "unsent_datagrams", "Datagrams that the kernel had no room for or the network refused.",
      overflow.unsent)
    text.add(
      "muster_datagrams_total", .counter,
      "Sealed datagrams sent to members, by the part that each was sent for.",
      FramePart.allCases.map {
        MetricsText.Sample(counters.count(of: $0)).labelled("part", $0.name)
      })
    text.add(
      "muster_dropped_total", .counter,
      "Datagrams, or parts of them, that changed nothing, by reason.",
      DropReason.allCases.map {
        MetricsText.Sample(counters.count(of: $0)).labelled("reason", $0.name)
      })
  }

  private func addProtocol(to text: inout MetricsText) {
    let counters = view.counters
    func add(_ name: String, _ help: String, _ value: UInt64) {
      text.add("muster_\(name)_total", .counter, help, MetricsText.Sample(value))
    }
    add("applied_records", "Records that were newer than what was known.", counters.recordsApplied)
    add("forwarded_records", "Records passed on to neighbours.", counters.recordsForwarded)
    add("verified_signatures", "Signatures checked.", counters.signaturesVerified)
    add("probes", "Probes sent.", counters.probesSent)
    add("failed_probes", "Probes without an answer.", counters.probesFailed)
    add("refuted_suspicions", "Suspicions that their subject refuted.", counters.suspicionsRefuted)
    add("repairs", "Comparisons with a peer that found a difference.", counters.repairs)
    add("elections", "Elections that this node began.", counters.elections)
    add("commits", "Registers that this node committed.", counters.commits)
    add("clock_stops", "How often the clock had stood still.", counters.clockStops)
    add(
      "relays_asked", "Heartbeats and promises that this node handed to relays.",
      counters.relaysAsked)
    add("relayed", "Heartbeats and promises that this node passed on.", counters.relayed)
    add("events", "Events in this node's history.", history.last)
  }

  private func addFaces(to text: inout MetricsText) {
    func add(
      _ name: String, _ kind: MetricsText.Kind, _ help: String,
      _ value: (HttpCounters) -> UInt64
    ) {
      text.add(
        name, kind, help,
        faces.map { MetricsText.Sample(value($0.counters)).labelled("face", $0.name) })
    }
    add("muster_http_requests_total", .counter, "Requests, by face.") { $0.requests }
    add("muster_http_refused_connections_total", .counter, "Connections refused, by face.") {
      $0.refused
    }
    add("muster_http_cut_streams_total", .counter, "Streams cut: the client was too slow.") {
      $0.cut
    }
    add("muster_http_connections", .gauge, "Open connections, by face.") {
      UInt64($0.connections)
    }
    add("muster_http_streams", .gauge, "Open streams of events, by face.") { UInt64($0.streams) }
  }

  private func addServed(to text: inout MetricsText) {
    guard let served else { return }
    func add(_ name: String, _ help: String, _ value: UInt64) {
      text.add("muster_served_\(name)_total", .counter, help, MetricsText.Sample(value))
    }
    add("files", "Files of releases that others have begun to copy from here.", served.files)
    add("bytes", "Bytes of them.", served.bytes)
    add("busy", "Requests for them that were told to come again.", served.busy)
    add("broken_files", "Files that ended early: gone, or their taker too slow.", served.broken)
  }

  private func addProcess(to text: inout MetricsText) {
    text.add(
      "muster_process_cpu_seconds_total", .counter, "Processor time used, user and system.",
      MetricsText.Sample(seconds: usage.processorNanoseconds))
    text.add(
      "muster_process_resident_memory_bytes", .gauge, "Resident memory.",
      MetricsText.Sample(usage.residentBytes))
    text.add(
      "muster_process_open_fds", .gauge, "Open descriptors.",
      MetricsText.Sample(usage.openDescriptors))
  }
}
