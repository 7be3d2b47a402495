import MusterAgent
import MusterProtocol
import MusterState
import MusterSystem
import Testing

@Suite(.serialized) struct FacesRecoverTests {
  /// A person at a terminal who answers this; `nil`: nobody is there.
  private func recover(
    _ server: FacesServer, key: String, _ more: [String] = [], answer: String? = nil
  ) -> (ran: Ran, asked: String) {
    let printed = Printed()
    let asked = Printed()
    let console = Console(
      print: { printed.output += $0 }, complain: { printed.complaint += $0 }, isTerminal: false,
      environment: { _ in nil },
      ask: answer.map { answer in
        { question in
          asked.output += question
          return answer
        }
      })
    let program = CommandProgram(
      console: console, joints: CommandJoints(runAgent: { _, _ in 0 }))
    let code = program.run(
      ["cluster", "recover", "--authority", key, "--control", server.control] + more)
    return (
      Ran(code: code, output: printed.output, complaint: printed.complaint), asked.output
    )
  }

  /// ci/0 without a leader: ci/1 and ci/2, which voted, are dead.
  private func view(of cluster: ClusterFile) -> ClusterView {
    var view = Sample.view()
    view.cluster = cluster.id
    view.leader = nil
    view.holdsLease = false
    view.leaderIsFresh = false
    view.body?.plan = Plan(
      id: PlanID(Bytes16(high: 1, low: 1)), term: 5, phase: .prepare, from: Sample.release,
      to: ReleaseSource(version: "2.11.7", source: "file:///b", archive: Sample.digest),
      reference: nil, participants: [Sample.id(1)], overtaken: [])
    func voter(_ number: UInt64, _ state: MemberState) -> LeaderView.Voter {
      LeaderView.Voter(
        id: Sample.id(number), state: state, term: 5, vote: nil, register: view.register,
        holdsRegister: true, isFree: true, promisedTo: nil, promiseRemaining: nil, priority: 100,
        hasResigned: false)
    }
    view.leadership = LeaderView(
      term: 5, majority: 2, registerDigest: Sample.digest,
      voters: [voter(1, .alive), voter(2, .dead), voter(3, .dead)])
    return view
  }

  private func withServer(
    _ body: (FacesServer, ClusterFile, _ keyPath: String, _ folder: String) throws -> Void
  ) throws {
    let folder = try HttpTest.temporaryDirectory()
    defer { _ = try? HttpTest.run("rm", ["-rf", folder]) }
    let made = muster([
      "init", "--name", "ci", "--expect", "4", "--out", folder + "/c", "--json",
    ])
    let files = try Json(reading: Array(made.output.utf8))
    let cluster = try ClusterFile.read(try #require(files["cluster_file"]?.string))
    let server = try FacesServer(view: view(of: cluster))
    defer { server.stop() }
    try body(server, cluster, try #require(files["authority_key"]?.string), folder)
  }

  @Test func `recover says what is lost, asks for the name, and signs all of it`() throws {
    try withServer { server, cluster, key, _ in
      let (ran, asked) = recover(server, key: key, answer: "ci")
      #expect(ran.code == .done, "\(ran.complaint)")
      #expect(asked == "Type the cluster's name, ci, to go on: ")
      #expect(
        ran.output.hasPrefix(
          """
          Recovery of ci from ci/0

            voters now   ci/0, ci/1, ci/2
            not alive    ci/1, ci/2
            voter then   ci/0 alone; others become voters after ten seconds, one at a time
            kept         register 5.8: roster, settings, releases; current release 2.10.2
            lost         whatever other voters have committed after register 5.8
            ended        the plan to 2.11.7, which is prepare

          Every other node gives up its vote in the present founding for good as soon as it meets \
          this one,
          also a majority that is alive on the other side of a split. There is no way back.

          recovered: founding
          """))
      guard case .recover(let recovery, false) = try server.with({ $0.submitted[0] }) else {
        Issue.record("no order to recover")
        return
      }
      #expect(recovery.from == Sample.founding && recovery.voter == Sample.id(1))
      #expect(recovery.version == RegisterVersion(term: 5, count: 8))
      #expect(recovery.digest == Sample.digest && recovery.absorbed == [])
      let signature = try AuthorityKey.read(key).sign(recovery.message(cluster: cluster.id))
      #expect(recovery.signature.bytes == signature)
    }
  }

  @Test func `recover does nothing without a yes`() throws {
    try withServer { server, _, key, _ in
      let (wrong, _) = recover(server, key: key, answer: "yes")
      #expect(wrong.code == .refused && wrong.complaint.contains("not the cluster's name"))
      let (nobody, _) = recover(server, key: key)
      #expect(nobody.code == .refused && nobody.complaint.contains("add --yes"))
      #expect(try server.with { $0.submitted.count } == 0)
      let other = FoundingID(Bytes16(high: 9, low: 9))
      let (yes, _) = recover(server, key: key, ["--yes", "--absorb", other.description])
      #expect(yes.code == .done && yes.output.contains("absorbed     every node of \(other)"))
      guard case .recover(let recovery, _) = try server.with({ $0.submitted[0] }) else {
        Issue.record("no order to recover")
        return
      }
      #expect(recovery.absorbed == [other])
    }
  }

  @Test func `recover is refused under a leader, and with a key of another cluster`() throws {
    try withServer { server, cluster, key, folder in
      let other = muster([
        "init", "--name", "xx", "--expect", "4", "--out", folder + "/other", "--json",
      ])
      let foreign = try #require(
        try Json(reading: Array(other.output.utf8))["authority_key"]?.string)
      let (wrong, _) = recover(server, key: foreign, ["--yes"])
      #expect(wrong.code == .failed && wrong.complaint.contains("is the key of cluster"))
      _ = try server.with {
        $0.view.leader = Sample.id(2)
        $0.view.leadership.leader = Sample.id(2)
        $0.view.leaderIsFresh = true
      }
      let (led, _) = recover(server, key: key, ["--yes"])
      #expect(led.code == .refused && led.complaint.contains("ci/1 leads and was heard of"))
      #expect(try server.with { $0.submitted.count } == 0)
      let (forced, _) = recover(server, key: key, ["--yes", "--force"])
      #expect(forced.code == .done)
      guard case .recover(_, true) = try server.with({ $0.submitted[0] }) else {
        Issue.record("no forced order")
        return
      }
      let bad = try server.post("/cluster/recover", #"{"term":1,"count":1,"digest":"xx"}"#)
      #expect(bad.status == 400)
      _ = cluster
    }
  }
}
