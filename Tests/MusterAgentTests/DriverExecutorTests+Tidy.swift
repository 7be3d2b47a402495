import MusterAgent
import MusterState
import MusterSystem
import Testing

/// A node that keeps its own copies frees what the register does not know any more.
extension DriverExecutorTests {
  private func idle(
    _ run: ReleaseReference, knowing versions: [String], after removal: UInt64 = 0
  ) -> Duty {
    Duty(
      term: 3, role: .worker, run: run, keep: [run],
      tidy: TidyOrder(versions: versions, removal: PlanID(Bytes16(high: removal, low: 0))))
  }

  private var freed: [String] { store.calls.filter { $0.hasPrefix("free") } }

  @Test func `who keeps its own copies frees what is not known, and never what runs`() {
    store.isLocal = true
    executor.obey(idle(one, knowing: ["1.0"]))
    #expect(freed == ["free all but [\"1.0\"] keeping [\"1.0\"] in term 3"])
    store.freed(true)
    store.answer(.success(()))
    services.report.running = one
    #expect(freed.count == 1, "what stays the same is no reason to look again")

    // The register has moved on, and this node runs what nobody knows any more until it has the
    // other one.
    executor.obey(idle(two, knowing: ["2.0"]))
    #expect(freed.last == "free all but [\"2.0\"] keeping [\"1.0\", \"2.0\"] in term 3")
    store.freed(true)
    #expect(statuses.all.last?.keepsOwnCopies == true)
    store.answer(.success(()))
    services.report.running = two
    #expect(freed.last == "free all but [\"2.0\"] keeping [\"2.0\"] in term 3")
    #expect(statuses.all.last?.verified == [two], "what is gone counts as verified no more")
    store.freed(true)
    let count = freed.count
    executor.obey(idle(two, knowing: ["2.0"], after: 1))
    #expect(freed.count == count + 1, "each removal is a reason to look again")
  }

  @Test func `nothing is freed while something moves, nor where others share it`() {
    executor.obey(idle(one, knowing: ["1.0"]))
    #expect(freed.isEmpty, "the directory is everyone's")
    store.isLocal = true
    executor.obey(Duty(term: 3, role: .worker, run: one, plan: PlanID(.zero), keep: [one]))
    #expect(freed.isEmpty)
  }
}
