import MusterAgent
import MusterProtocol
import MusterState
import Testing

@Suite(.serialized) struct FacesLeaderTests {
  /// ci/0 of the sample leads; ci/1 has promised to it, ci/2 never leads and is behind.
  private func view() -> ClusterView {
    var view = Sample.view()
    func voter(_ number: UInt64, _ change: (inout LeaderView.Voter) -> Void) -> LeaderView.Voter {
      var voter = LeaderView.Voter(
        id: Sample.id(number + 1), state: .alive, term: 5, vote: Sample.id(1),
        register: view.register, holdsRegister: true, isFree: false, promisedTo: Sample.id(1),
        promiseRemaining: .milliseconds(3_600), priority: 100, hasResigned: false)
      change(&voter)
      return voter
    }
    view.leadership = LeaderView(
      leader: view.leader, term: 5, basis: .elected(votes: [Sample.id(1), Sample.id(2)]),
      isEffective: true, leaseRemaining: .milliseconds(2_900), majority: 2,
      voters: [
        voter(0) { _ in }, voter(1) { $0.promiseRemaining = .milliseconds(3_210) },
        voter(2) {
          $0.priority = 0
          $0.promisedTo = nil
          $0.promiseRemaining = nil
          $0.register = RegisterVersion(term: 5, count: 7)
          $0.holdsRegister = false
        },
      ])
    view.leaseRemaining = .milliseconds(2_900)
    return view
  }

  @Test func `leader prints who, which term, and how long`() throws {
    let server = try FacesServer(view: view())
    defer { server.stop() }
    for words in [["leader"], ["leader", "show"]] {
      let ran = muster(words + ["--control", server.control])
      #expect(ran.code == .done)
      #expect(
        ran.output == """
          leader     ci/0 (this node)
          term       5
          lease      held here, 2.90 s left

          """)
    }
  }

  @Test func `leader --explain says why, and who promised what`() throws {
    let server = try FacesServer(view: view())
    defer { server.stop() }
    let ran = muster(["leader", "--explain", "--control", server.control])
    #expect(
      ran.output == """
        leader     ci/0 (this node)
        term       5
        lease      held here, 2.90 s left
        believed   elected here by ci/0, ci/1
        register   5.8, committed 5.7
        election   2 of 3 voters decide; none while the leader is promised

        VOTER  STATE  PRIORITY  TERM  VOTE  REGISTER     BOUND                       NOTE
        ci/0   alive  100       5     ci/0  5.8          to ci/0, 3.60 s             leads
        ci/1   alive  100       5     ci/0  5.8          to ci/0, 3.21 s             -
        ci/2   alive  0         5     ci/0  5.7 (other)  by a promise or quarantine  never leads

        """)
    let json = try Json(
      reading: Array(muster(["leader", "--json", "--control", server.control]).output.utf8))
    #expect(json["voters"]?.array?[1]["promised_to"]?.string == "ci/0")
    #expect(json["voters"]?.array?[1]["promise_ms"]?.integer == 3_210)
    #expect(json["believed"]?["votes"]?.array?.count == 2)
  }

  @Test func `leader --explain without a leader says what an election waits for`() throws {
    var view = view()
    view.leader = nil
    view.holdsLease = false
    view.leadership.leader = nil
    view.leadership.basis = nil
    view.leadership.isEffective = false
    view.leadership.obstacles = ["2 of 3 voters must be alive and free; now: ci/0", "ci/1 is dead"]
    let server = try FacesServer(view: view)
    defer { server.stop() }
    let ran = muster(["leader", "--explain", "--control", server.control])
    #expect(ran.output.contains("leader     none\n"))
    #expect(ran.output.contains("believed   nobody shows a certificate of this term\n"))
    #expect(
      ran.output.contains(
        "election   2 of 3 voters decide; these stand in the way:\n"
          + "           2 of 3 voters must be alive and free; now: ci/0\n"
          + "           ci/1 is dead\n"))
  }

  @Test func `leader --check is yes only for as long as the lease lasts`() throws {
    let server = try FacesServer(view: view())
    defer { server.stop() }
    func check(_ more: String...) -> Ran {
      muster(["leader", "--check", "--control", server.control] + more)
    }
    #expect(check().code == .done && check().output.isEmpty)
    #expect(check("--guarantee", "2900ms").code == .done)
    let longer = check("--guarantee", "3s")
    #expect(longer.code == .failed)
    #expect(longer.complaint.contains("the lease of ci/0 lasts 2.90 s more, less than 3.00 s"))
    let json = try Json(reading: Array(check("--json").output.utf8))
    #expect(json["is_leader"]?.bool == true && json["guarantee_ms"]?.integer == 2_000)
    _ = try server.with { $0.view.leadership.isEffective = false }
    #expect(check().code == .failed && check().complaint.contains("not committed its first"))
    _ = try server.with { $0.view.holdsLease = false }
    #expect(check().code == .failed && check().complaint.contains("ci/0 does not lead"))
  }

  @Test func `leader step-down names the successor to the agent`() throws {
    let server = try FacesServer(view: view())
    defer { server.stop() }
    let named = muster(["leader", "step-down", "--to", "ci/1", "--control", server.control])
    #expect(named.code == .done && named.output == "ci/0 leads in term 5\n")
    #expect(muster(["leader", "step-down", "--control", server.control]).code == .done)
    #expect(
      try server.with { $0.submitted } == [.stepDown(to: Sample.id(2)), .stepDown(to: nil)])
    let unknown = muster(["leader", "step-down", "--to", "ci/9", "--control", server.control])
    #expect(unknown.code == .failed && unknown.complaint.contains("no member is called \"ci/9\""))
    _ = try server.with { $0.reply = .refused("the node does not vote") }
    let refused = muster(["leader", "step-down", "--to", "ci/3", "--control", server.control])
    #expect(refused.code == .refused && refused.complaint.contains("does not vote"))
  }

  @Test func `the health page says whether this node leads`() throws {
    let server = try FacesServer(view: view())
    defer { server.stop() }
    let health = try HttpTest.run("curl", ["-sS", server.base + "/health"]).output
    #expect(try Json(reading: Array(health.utf8))["is_leader"]?.bool == true)
  }
}
