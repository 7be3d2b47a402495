import MusterDecisions
import MusterState
import Testing

@Suite struct DutyTests {
  private func duty(_ cluster: Cluster, _ index: Int = 1, fetches: Bool = false) -> Duty {
    MusterDecisions.duty(
      of: Cluster.nodes[index], committed: cluster.body, term: 3, fetches: fetches)
  }

  @Test func `without a sealed register that names it a node runs nothing`() {
    let nothing = Duty(term: 3)
    #expect(
      MusterDecisions.duty(of: Cluster.nodes[0], committed: nil, term: 3, fetches: true)
        == nothing)
    var cluster = Cluster.upgrading()
    #expect(duty(cluster, 7) == nothing)
    cluster.body.sealed = false
    #expect(duty(cluster) == nothing)
  }

  @Test func `idle: run what is current, keep what is published`() {
    let duty = duty(Cluster.upgrading())
    #expect(duty.role == .worker && duty.run == Cluster.reference("1.0"))
    #expect(duty.keep == [Cluster.reference("1.0")])
    #expect(duty.plan == nil && duty.verify == nil && duty.fetch == nil)
  }

  @Test func `downloading: the leader fetches, then all verify, and all still run`() {
    var cluster = Cluster.upgrading(phase: .downloading, hasReference: false)
    #expect(duty(cluster).fetch == nil)
    let order = duty(cluster, 0, fetches: true).fetch
    #expect(order == FetchOrder(plan: Cluster.plan, term: 3, release: Cluster.two, repair: 0))
    cluster = Cluster.upgrading(phase: .downloading)
    for index in 0..<5 {
      let duty = duty(cluster, index, fetches: index == 0)
      #expect(duty.fetch == nil && duty.verify == Cluster.reference("2.0"))
      #expect(duty.run == Cluster.reference("1.0"))
      #expect(duty.keep.contains(Cluster.reference("2.0")))
    }
  }

  @Test func `prepare: all stop, but who was overtaken runs on, and who is new waits`() {
    var cluster = Cluster.upgrading(phase: .prepare)
    cluster.body.plan?.overtaken = [Cluster.nodes[2]]
    cluster.body.plan?.participants.removeAll { $0 == Cluster.nodes[4] }
    #expect(duty(cluster, 1).run == nil)
    #expect(duty(cluster, 2).run == Cluster.reference("1.0"))
    #expect(duty(cluster, 4).run == nil)
  }

  @Test(arguments: [Plan.Phase.complete, .rollingBack])
  func `complete and rolling back: run what is current`(phase: Plan.Phase) {
    let cluster = Cluster.upgrading(phase: phase)
    #expect(duty(cluster).run == cluster.body.current)
  }

  // MARK: - Acknowledgements

  private let two = Cluster.reference("2.0")

  private func say(
    _ phase: Plan.Phase?, _ change: (inout LocalStatus) -> Void = { _ in }
  ) -> Acknowledgement? {
    var status = LocalStatus()
    change(&status)
    let cluster = Cluster.upgrading(phase: phase)
    return acknowledgement(of: Cluster.nodes[1], duty(cluster), cluster.body, status: status)
  }

  @Test func `verified is said of the copy that was asked for`() {
    #expect(say(.downloading) == nil)
    #expect(say(.downloading) { $0.verified = [Cluster.reference("1.0")] } == nil)
    #expect(say(.downloading) { $0.verified = [two] } == .verified)
    #expect(say(.downloading) { $0.failure = "it differs" } == .failed)
  }

  @Test func `stopped is said when nothing runs, whatever failed before`() {
    #expect(say(.prepare) { $0.running = Cluster.reference("1.0") } == nil)
    #expect(say(.prepare) == .stopped)
    #expect(say(.prepare) { $0.failure = "the old one had crashed" } == .stopped)
  }

  @Test func `running is said of the right release in the right role when it is ready`() {
    func ready(_ status: inout LocalStatus) {
      status.running = two
      status.runningRole = .worker
      status.ready = true
    }
    #expect(say(.complete, ready) == .running)
    #expect(
      say(.complete) {
        ready(&$0); $0.ready = false
      } == nil)
    #expect(
      say(.complete) {
        ready(&$0); $0.runningRole = .web
      } == nil)
    #expect(
      say(.complete) {
        ready(&$0); $0.running = Cluster.reference("1.0")
      } == nil)
    #expect(
      say(.complete) {
        ready(&$0); $0.failure = "it had stumbled"
      } == .running)
    #expect(
      say(.complete) {
        ready(&$0); $0.ready = false; $0.failure = "it ended"
      } == .failed)
  }

  @Test func `without a plan nothing is said`() {
    #expect(say(nil) == nil)
  }
}
