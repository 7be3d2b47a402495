import MusterAgent
import MusterProtocol
import MusterState
import MusterSystem
import Testing

@Suite(.serialized) struct FacesEventTests {
  private func object(_ entry: EventHistory.Entry?) throws -> Json {
    try Json(reading: try #require(entry).line)
  }

  @Test func `every event is rendered with kind, node and time`() throws {
    let history = EventHistory(node: Sample.id(1), name: "ci/0")
    let plan = Plan(
      id: PlanID(.zero), term: 1, phase: .rollingBack, from: nil,
      to: ReleaseSource(version: "2", source: "file:///x", archive: Sample.digest),
      reference: nil, participants: [], overtaken: [])
    let events: [(Event, kind: String, node: String)] = [
      (.memberAlive(Sample.id(2), name: "ci/1", via: .multicast), "member-alive", "ci/1"),
      (.memberSuspect(Sample.id(2), name: "ci/1", by: Sample.id(1)), "member-suspect", "ci/1"),
      (.memberDead(Sample.id(2), name: "ci/1", accusers: 3), "member-dead", "ci/1"),
      (.memberLeft(Sample.id(2), name: "ci/1"), "member-left", "ci/1"),
      (.memberForgotten(Sample.id(2)), "member-forgotten", "ci/1"),
      (.memberUnfit(Sample.id(2), name: "ci/1"), "member-unfit", "ci/1"),
      (.recordUpdated(Sample.id(2), name: "data"), "record-updated", "ci/1"),
      (.leaderChanged(Sample.id(2), term: 3), "leader-changed", "ci/1"),
      (.leaderChanged(nil, term: 3), "leader-changed", "ci/0"),
      (.founded(Sample.founding, voters: [Sample.id(1)]), "founded", "ci/0"),
      (.joined(Sample.founding), "joined", "ci/0"), (.sealed(Sample.founding), "sealed", "ci/0"),
      (.registerCommitted(RegisterVersion(term: 1, count: 2)), "register-committed", "ci/0"),
      (.roleChanged(Sample.id(2), role: .web), "role-changed", "ci/1"),
      (.planChanged(plan, previous: .complete), "plan-rolling-back", "ci/0"),
      (.planChanged(nil, previous: .complete), "plan-idle", "ci/0"),
      (.acknowledged(Sample.id(2), plan: PlanID(.zero), .stopped), "acknowledged", "ci/1"),
      (.releaseChanged(Sample.release), "release-changed", "ci/0"),
      (.clusterConflict(Sample.founding), "cluster-conflict", "ci/0"),
      (.equivocation(Sample.id(2)), "equivocation", "ci/1"),
      (
        .nameConflict(name: "ci/1", holder: Sample.id(2), claimant: Sample.id(9)),
        "name-conflict", "ci/1"
      ),
    ]
    for (index, event) in events.enumerated() {
      history.record(event.0, wall: 1_900_000_000_123_000_000)
      let json = try object(history[UInt64(index + 1)])
      #expect(json["kind"]?.string == event.kind)
      #expect(json["node"]?.string == event.node)
      #expect(json["at"]?.string == "2030-03-17T17:46:40.123Z")
      #expect(json["seq"]?.integer == Int64(index + 1))
    }
    history.record(.serviceFailed(name: "caddy", reason: "port in use", isFinal: false))
    let local = try object(history[history.last])
    #expect(local["kind"]?.string == "service-failed")
    #expect(local["service"]?.string == "caddy")
  }

  @Test func `the ring keeps the newest and knows what it has lost`() {
    let history = EventHistory(node: Sample.id(1), name: "ci/0", capacity: 4)
    #expect(history.first == 1 && history.last == 0)
    for _ in 0..<10 { history.record(.equivocation(Sample.id(2))) }
    #expect(history.first == 7 && history.last == 10)
    #expect(history[6] == nil && history[11] == nil)
    #expect((7...10).allSatisfy { history[$0]?.sequence == $0 })
  }

  private func fill(_ server: FacesServer, _ count: Int) throws {
    _ = try server.with { interior in
      for number in 0..<count {
        interior.history.record(.recordUpdated(Sample.id(2), name: "r\(number)"))
      }
    }
  }

  @Test func `what is kept is replayed, whole and in order`() throws {
    let server = try FacesServer()
    defer { server.stop() }
    try fill(server, 500)
    let reply = try HttpClient(path: server.control).send("GET", "/events")
    let lines = reply.body.split(separator: 10)
    #expect(lines.count == 500)
    let sequence = try lines.map { try Json(reading: Array($0))["seq"]?.integer }
    #expect(sequence == (1...500).map { Int64($0) })
    let since = try HttpClient(path: server.control).send("GET", "/events?since=498")
    #expect(since.body.split(separator: 10).count == 2)
  }

  @Test func `a follower gets what comes, at once`() throws {
    let server = try FacesServer()
    defer { server.stop() }
    try fill(server, 3)
    var seen: [Int64] = []
    _ = try HttpClient(path: server.control).follow("/events?follow&replay") { line in
      let sequence = (try? Json(reading: line))?["seq"]?.integer ?? -1
      seen.append(sequence)
      if sequence == 3 { try? fill(server, 2) }
      return sequence < 5
    }
    #expect(seen == [1, 2, 3, 4, 5])
  }

  @Test func `a browser's stream goes on where it was`() throws {
    let server = try FacesServer()
    defer { server.stop() }
    try fill(server, 5)
    let curl = try HttpTest.run(
      "curl",
      ["-sSN", "-i", "-m", "1", "-H", "Last-Event-ID: 3", server.base + "/events"])
    #expect(curl.output.contains("Content-Type: text/event-stream"))
    #expect(!curl.output.contains("id: 3\n"))
    #expect(curl.output.contains("id: 4\nevent: record-updated\ndata: {\"seq\":4,"))
    #expect(curl.output.contains("id: 5\n"))
  }

  @Test func `a client that does not read is cut and counted, and the others are served`() throws {
    let server = try FacesServer(historyCapacity: 100)
    defer { server.stop() }
    let slow = try HttpTest.RawConnection(path: server.control)
    slow.write("GET /events?follow HTTP/1.1\r\nHost: x\r\n\r\n")
    func metric(_ name: String) throws -> String? {
      let text = try HttpTest.run("curl", ["-sS", server.base + "/metrics"]).output
      return text.split(separator: "\n").first { $0.hasPrefix(name + " ") }?
        .split(separator: " ").last.map(String.init)
    }
    #expect(HttpTest.eventually { (try? metric("muster_http_streams{face=\"control\"}")) == "1" })
    // More than the kernel's buffers and the ring hold together.
    for _ in 0..<40 { try fill(server, 90) }
    #expect(
      HttpTest.eventually {
        (try? metric("muster_http_cut_streams_total{face=\"control\"}")) == "1"
      })
    #expect(try metric("muster_http_streams{face=\"control\"}") == "0")
    #expect(try server.get("/status").status == 200)
  }
}
