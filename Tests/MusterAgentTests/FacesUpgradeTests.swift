import MusterAgent
import MusterProtocol
import MusterState
import MusterSystem
import Testing

@Suite(.serialized) struct FacesUpgradeTests {
  private func inWaves() -> ClusterView {
    var view = Sample.view()
    view.body?.plan = Plan(
      id: PlanID(Bytes16(high: 1, low: 1)), term: 5, phase: .prepare, from: Sample.release,
      to: ReleaseSource(version: "2.11.7", source: "file:///b", archive: Sample.digest),
      reference: nil, participants: [Sample.id(1), Sample.id(2), Sample.id(3)],
      overtaken: [Sample.id(3)], waves: [2, 0, 1], wave: 1, policy: .abort)
    view.members[1].acknowledgement = .running
    view.phaseRemaining = .milliseconds(12_300)
    return view
  }

  @Test func `the plan says which wave it is in, and whom it waits for`() throws {
    var view = inWaves()
    view.body?.plan?.overtaken = []
    let server = try FacesServer(view: view)
    defer { server.stop() }
    let plan = try server.get("/upgrade").json
    #expect(plan["wave"]?.integer == 2 && plan["waves"]?.integer == 3)
    #expect(plan["policy"]?.string == "abort" && plan["paused"]?.bool == false)
    #expect(plan["remaining_ms"]?.integer == 12_300)
    let participants = plan["participants"]?.array ?? []
    #expect(participants.map { $0["wave"]?.integer } == [3, 1, 2])
    #expect(participants.map { $0["awaited"]?.bool } == [false, false, true])
  }

  @Test func `an order to upgrade reaches the agent as it was given`() throws {
    let server = try FacesServer()
    defer { server.stop() }
    let texts = [
      #"{"version":"3"}"#, #"{"version":"3","batch":"25%","policy":"abort"}"#,
      #"{"version":"3","batch":"one-by-one"}"#, #"{"version":"3","stop_first":true}"#,
    ]
    for text in texts { #expect(try server.post("/upgrade", text).status == 200) }
    let submitted = try server.with { $0.submitted }
    #expect(
      submitted == [
        .upgrade("3", UpgradeOptions()),
        .upgrade("3", UpgradeOptions(batch: .percent(25), policy: .abort)),
        .upgrade("3", UpgradeOptions(batch: .count(1))),
        .upgrade("3", UpgradeOptions(stopsFirst: true)),
      ])
    for text in [
      #"{"version":"../x"}"#, #"{"version":"3","batch":"0"}"#, #"{"version":"3","batch":"101%"}"#,
      #"{"version":"3","policy":"hope"}"#, #"{"version":"3","batch":"2","stop_first":true}"#,
    ] {
      #expect(try server.post("/upgrade", text).status == 400, "\(text)")
    }
    #expect(try server.with { $0.submitted.count } == texts.count)
  }

  @Test func `pause, resume and abort name the plan that this node knows`() throws {
    let server = try FacesServer(view: inWaves())
    defer { server.stop() }
    for order in PlanOrder.allCases {
      #expect(try server.post("/upgrade/\(order.name)", "{}").status == 200)
    }
    let plan = PlanID(Bytes16(high: 1, low: 1))
    #expect(
      try server.with { $0.submitted } == PlanOrder.allCases.map { .steer($0, plan) })
  }

  @Test func `a preview names the waves, and what forbids it`() throws {
    let server = try FacesServer()
    defer { server.stop() }
    let good = try server.get("/upgrade/preview?version=2.10.2&batch=one-by-one").json
    #expect(good["ok"]?.bool == true, "\(good)")
    let waves = (good["waves"]?.array ?? []).map { $0.array?.compactMap(\.string) }
    #expect(waves == [["ci/1"], ["ci/2"], ["ci/0"]])
    let unknown = try server.get("/upgrade/preview?version=9").json
    #expect(unknown["ok"]?.bool == false)
    let busy = try FacesServer(view: inWaves())
    defer { busy.stop() }
    let refused = try busy.get("/upgrade/preview?version=2.10.2").json
    let checks = refused["checks"]?.array ?? []
    #expect(checks.contains { $0["text"]?.string?.contains("to 2.11.7 is prepare") == true })
    #expect(try server.with { $0.submitted.isEmpty })
  }

  @Test func `the command line prints the plan, a line a node`() throws {
    let server = try FacesServer(view: inWaves())
    defer { server.stop() }
    let program = try OwnProgram.directory() + "/muster"
    let status = try HttpTest.run(program, ["upgrade", "status", "--control", server.control])
    #expect(status.status == 0)
    let lines = status.output.split(separator: "\n")
    #expect(lines.count == 5, "\(status.output)")
    #expect(lines[0] == "2.10.2 to 2.11.7: prepare, wave 2 of 3")
    #expect(lines[3].hasPrefix("ci/1  1"))
    #expect(lines[4].hasSuffix("overtaken"))
    let dry = try HttpTest.run(
      program, ["upgrade", "2.10.2", "--dry-run", "--batch", "1", "--control", server.control])
    #expect(dry.status == 4 && dry.output.contains("wave 3: ci/0"), "\(dry.output)")
    #expect(try server.with { $0.submitted.isEmpty })
  }
}
