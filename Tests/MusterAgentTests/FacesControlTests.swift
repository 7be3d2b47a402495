import MusterAgent
import MusterProtocol
import MusterState
import MusterSystem
import Testing

@Suite(.serialized) struct FacesControlTests {
  @Test func `members and status have the promised fields`() throws {
    let server = try FacesServer()
    defer { server.stop() }
    let members = try server.get("/members").json
    #expect(members.array?.count == 4)
    let first = try #require(members.array?.first)
    #expect(first["name"]?.string == "ci/0")
    #expect(first["id"]?.string == Sample.id(1).description)
    #expect(first["address"]?.string == "127.0.0.11:7946")
    #expect(first["state"]?.string == "alive")
    #expect(first["incarnation"]?.integer == 3)
    #expect(first["role"]?.string == "web")
    #expect(first["leader"]?.bool == true)
    #expect(first["version"]?.string == "2.10.2")
    #expect(first["ready"]?.bool == true)
    #expect(first["data"]?["port"]?.string == "800")
    #expect(members.array?.last?["state"]?.string == "dead")

    let status = try server.get("/status").json
    #expect(status["cluster"]?.string == "ci")
    #expect(status["node"]?.string == "ci/0")
    #expect(status["term"]?.integer == 5)
    #expect(status["leader"]?.string == "ci/0")
    #expect(status["lease"]?["holder"]?.string == "ci/0")
    #expect(status["lease"]?["valid"]?.bool == true)
    #expect(status["converged"]?["agree"]?.integer == 3)
    #expect(status["converged"]?["members"]?.integer == 3)
    #expect(status["converged"]?["since"]?.string?.hasSuffix("Z") == true)
    #expect(status["release"]?["version"]?.string == "2.10.2")
    #expect(status["release"]?["digest"]?.string == Sample.digest.description)
    #expect(status["plan"]?["phase"]?.string == "idle")
    #expect(status["members"]?["dead"]?.integer == 1)
    #expect(status["counters"]?["dropped"]?["replayed"]?.integer == 1)
  }

  @Test func `a plan shows who has acknowledged`() throws {
    var view = Sample.view()
    view.body?.plan = Plan(
      id: PlanID(Bytes16(high: 1, low: 1)), term: 5, phase: .prepare, from: Sample.release,
      to: ReleaseSource(version: "2.11.7", source: "file:///b", archive: Sample.digest),
      reference: nil, participants: [Sample.id(1), Sample.id(2)], overtaken: [Sample.id(2)])
    view.members[0].acknowledgement = .stopped
    let server = try FacesServer(view: view)
    defer { server.stop() }
    let plan = try #require(try server.get("/status").json["plan"])
    #expect(plan["phase"]?.string == "prepare")
    #expect(plan["from"]?.string == "2.10.2")
    #expect(plan["to"]?.string == "2.11.7")
    #expect(plan["participants"]?.array?[0]["acknowledgement"]?.string == "stopped")
    #expect(plan["participants"]?.array?[1]["overtaken"]?.bool == true)
  }

  @Test func `values are found by name, identity and for the cluster`() throws {
    let server = try FacesServer()
    defer { server.stop() }
    #expect(try server.get("/get?node=ci/1&key=port").json["value"]?.string == "801")
    let id = Sample.id(2).description.prefix(9)
    #expect(try server.get("/get?node=\(id)&key=port").json["value"]?.string == "801")
    #expect(try server.get("/get?node=cluster&key=version").json["value"]?.string == "2.10.2")
    #expect(try server.get("/get?node=ci/1").json["values"]?["port"]?.string == "801")
    let missing = try server.get("/get?node=ci/1&key=none")
    #expect(missing.status == 404)
    #expect(missing.json["advice"]?.string == "it has port")
    #expect(try server.get("/get?node=ci/9&key=port").status == 404)
  }

  @Test func `orders reach the agent, and its answer comes back`() throws {
    let server = try FacesServer()
    defer { server.stop() }
    #expect(try server.post("/set", #"{"key":"a","value":"b"}"#).status == 200)
    #expect(
      try server.post("/set", #"{"key":"version","value":"2.11.7","cluster":true}"#).status == 200)
    let sha = Sample.digest.description
    let release = #"{"version":"1","source":"https://a.example/b","sha256":"\#(sha)"}"#
    #expect(try server.post("/release", release).status == 200)
    #expect(try server.post("/forget", #"{"node":"ci/3"}"#).status == 200)
    let signature = String(repeating: "ab", count: 64)
    let signed = #"{"node":"ci/2","signature":"\#(signature)"}"#
    #expect(try server.post("/forget", signed).status == 200)
    #expect(try server.post("/leave", "").status == 200)
    let submitted = try server.with { $0.submitted }
    #expect(
      submitted == [
        .setOwn(key: "a", value: "b"), .setCluster(key: "version", value: "2.11.7"),
        .addRelease(
          ReleaseSource(version: "1", source: "https://a.example/b", archive: Sample.digest)),
        .forget(Sample.id(4), authority: nil),
        .forget(Sample.id(3), authority: Signature([UInt8](repeating: 0xab, count: 64))), .leave,
      ])
    _ = try server.with { $0.reply = .refused("only the leader's majority can") }
    let refused = try server.post("/set", #"{"key":"a","value":"b"}"#)
    #expect(refused.status == 409)
    #expect(refused.json["error"]?.string == "only the leader's majority can")
    _ = try server.with { $0.reply = .timedOut("no leader answered") }
    #expect(try server.post("/leave", "").status == 504)
  }

  @Test(arguments: [
    ("/set", "{"), ("/set", "[]"), ("/set", #"{"value":"b"}"#), ("/set", #"{"key":"a"}"#),
    ("/set", #"{"key":"a b","value":"c"}"#), ("/set", #"{"key":"a","value":"x\ny"}"#),
    ("/set", #"{"key":"a","value":"b","culster":true}"#),
    ("/set", #"{"key":"version","value":"../x","cluster":true}"#),
    ("/release", #"{"version":"1","source":"ftp://x","sha256":"00"}"#),
    ("/release", #"{"version":"1","source":"https://x/a","sha256":"00"}"#),
    ("/forget", #"{"node":"ci/1","signature":"00"}"#), ("/leave", #"{"now":true}"#),
  ])
  func `a bad order changes nothing and is explained`(_ path: String, _ body: String) throws {
    let server = try FacesServer()
    defer { server.stop() }
    let answer = try server.post(path, body)
    #expect(answer.status == 400)
    #expect(answer.json["error"]?.string?.isEmpty == false)
    #expect(answer.json["advice"]?.string?.isEmpty == false)
    #expect(try server.with { $0.submitted }.isEmpty)
  }

  @Test func `unknown paths, methods and parameters are refused`() throws {
    let server = try FacesServer()
    defer { server.stop() }
    #expect(try server.get("/nothing").status == 404)
    #expect(try server.get("/set").status == 405)
    #expect(try server.post("/status", "").status == 405)
    #expect(try server.get("/status?x=1").status == 400)
    #expect(try server.get("/wait?member=3").status == 400)
    #expect(try server.get("/wait").status == 400)
    #expect(try server.get("/wait?role=web").status == 400)
    #expect(try server.get("/wait?members=-1").status == 400)
    #expect(try server.get("/events?follow=perhaps").status == 400)
    let curl = try HttpTest.run(
      "curl", ["-sS", "-i", "-X", "DELETE", "--unix-socket", server.control, "http://x/status"])
    #expect(curl.output.contains("405") && curl.output.contains("Allow: GET"))
  }

  @Test func `a wait ends when its conditions hold`() throws {
    let server = try FacesServer()
    defer { server.stop() }
    #expect(try server.get("/wait?members=3&converged&leader").json["met"]?.bool == true)
    #expect(try server.get("/wait?role=worker=2&role=web=1").status == 200)
    #expect(try server.get("/wait?version=2.10.2").status == 200)

    let late = try HttpTest.Process(
      "curl",
      [
        "-sS", "--unix-socket", server.control,
        "http://x/wait?members=4&timeout_ms=8000",
      ])
    #expect(
      try server.with { _ in true }, "the agent goes on while somebody waits")
    _ = try server.with { interior in
      interior.view.members[3].state = .alive
      interior.history.record(
        .memberAlive(Sample.id(4), name: "ci/3", via: .gossip))
    }
    let answer = try Json(reading: Array(try late.finish().output.utf8))
    #expect(answer["met"]?.bool == true)
  }

  @Test func `a wait that is not met says what is missing`() throws {
    let server = try FacesServer()
    defer { server.stop() }
    let began = MonotonicClock.nanoseconds
    let answer = try server.get(
      "/wait?members=4&converged&role=worker=3&version=2.11.7&timeout_ms=200")
    let waited = MonotonicClock.nanoseconds - began
    #expect(answer.status == 408)
    #expect(
      answer.json["missing"]?.array?.compactMap(\.string) == [
        "members: 3 of 4 are alive", "role: 2 of 3 live members are worker",
        "version: 2.10.2 is current, not 2.11.7",
      ])
    #expect(waited > 190_000_000 && waited < 2_000_000_000)
  }
}
