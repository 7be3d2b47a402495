import Glibc
import MusterAgent
import MusterProtocol
import MusterState
import MusterSystem
import Testing

@Suite(.serialized) struct FacesHttpTests {
  @Test func `health follows the leader`() throws {
    let server = try FacesServer()
    defer { server.stop() }
    func health() throws -> (String, Json) {
      let curl = try HttpTest.run(
        "curl", ["-sS", "-w", "\n%{http_code}", server.base + "/health"])
      let parts = curl.output.split(separator: "\n")
      return (String(parts[1]), try Json(reading: Array(parts[0].utf8)))
    }
    #expect(try health().0 == "200")
    #expect(try health().1["leader"]?.string == "ci/0")
    _ = try server.with { interior in
      interior.view.leader = Sample.id(2)
      interior.view.holdsLease = false
      interior.view.leaderIsFresh = false
    }
    #expect(try health().0 == "503")
    #expect(try health().1["error"]?.string == "no leader is seen")
    _ = try server.with { $0.view.founding = nil }
    #expect(try health().0 == "200")
  }

  @Test func `it is read only`() throws {
    let server = try FacesServer()
    defer { server.stop() }
    for path in ["/set", "/leave", "/forget", "/release", "/wait"] {
      let curl = try HttpTest.run(
        "curl", ["-sS", "-o", "/dev/null", "-w", "%{http_code}", "-d", "{}", server.base + path])
      #expect(curl.output == "404")
    }
    let post = try HttpTest.run(
      "curl", ["-sS", "-o", "/dev/null", "-w", "%{http_code}", "-d", "", server.base + "/status"])
    #expect(post.output == "405")
    let status = try HttpTest.run("curl", ["-sS", server.base + "/status"])
    #expect(try Json(reading: Array(status.output.utf8))["node"]?.string == "ci/0")
  }

  @Test(.enabled(if: unsafe access("/usr/bin/promtool", X_OK) == 0))
  func `promtool finds nothing to say about the metrics`() throws {
    var view = Sample.view()
    view.clusterName = "we\\ird \"name\""
    let server = try FacesServer(view: view)
    defer { server.stop() }
    let check = try HttpTest.run(
      "sh", ["-c", "curl -sS \(server.base)/metrics | promtool check metrics"])
    #expect(check.status == 0)
    #expect(check.output == "")
  }

  @Test func `metrics carry the figures`() throws {
    var view = Sample.view()
    view.counters.sent[FramePart.requested.rawValue] = 3
    let server = try FacesServer(view: view)
    defer { server.stop() }
    let text = try HttpTest.run("curl", ["-sS", server.base + "/metrics"]).output
    for line in [
      "muster_members{state=\"alive\"} 3", "muster_members{state=\"dead\"} 1", "muster_term 5",
      "muster_leader 1", "muster_lease_remaining_seconds 1.500000000",
      "muster_received_datagrams_total 42", "muster_dropped_total{reason=\"replayed\"} 1",
      "muster_dropped_total{reason=\"name-taken\"} 0", "muster_plan_phase{phase=\"idle\"} 1",
      "muster_services{state=\"ready\"} 1", "muster_services_ready 1", "muster_converged 1",
      "muster_register_step{register=\"committed\"} 7",
      "muster_service_starts_total{service=\"caddy\"} 2",
      "muster_overflowed_datagrams_total 17", "muster_unsent_datagrams_total 18",
      "muster_datagrams_total{part=\"indirect-ack\"} 3",
    ] {
      #expect(text.contains("\n\(line)\n"))
    }
    #expect(text.contains("# TYPE muster_process_resident_memory_bytes gauge"))
    for reason in DropReason.allCases { #expect(text.contains("{reason=\"\(reason.name)\"}")) }
    for part in FramePart.allCases { #expect(text.contains("{part=\"\(part.name)\"}")) }
  }
}
