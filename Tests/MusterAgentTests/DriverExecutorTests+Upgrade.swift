import MusterAgent
import MusterState
import Testing

/// What an upgrade asks of the executor: the shortest outage in which nothing starts unverified.
extension DriverExecutorTests {
  private func stops(for next: ReleaseReference) -> Duty {
    Duty(term: 1, role: .worker, run: nil, verify: next, plan: PlanID(.zero))
  }

  @Test func `what a plan starts is verified while the old release stops`() {
    executor.obey(Duty(term: 1, role: .worker, run: one))
    store.answer(.success(()))
    executor.obey(Duty(term: 1, role: .worker, run: one, verify: two, plan: PlanID(.zero)))
    store.answer(.success(()))
    executor.obey(stops(for: two))
    #expect(services.versions == ["1.0 as worker", "stop"])
    #expect(store.calls == ["verify 1.0", "verify 2.0", "verify 2.0"], "once more for the start")
    executor.obey(Duty(term: 1, role: .worker, run: two, plan: PlanID(.zero)))
    #expect(services.versions == ["1.0 as worker", "stop"], "nothing starts unverified")
    store.answer(.success(()))
    #expect(services.versions == ["1.0 as worker", "stop", "2.0 as worker"])
    executor.obey(stops(for: one))
    store.answer(.success(()))
    executor.obey(Duty(term: 1, role: .worker, run: one, plan: PlanID(.zero)))
    #expect(services.versions.last == "1.0 as worker", "it was right a moment ago")
    #expect(store.verifications.isEmpty)
  }

  @Test func `who has to fetch what the others run goes on until it is there`() {
    executor.obey(Duty(term: 1, role: .worker, run: one))
    store.answer(.success(()))
    executor.obey(Duty(term: 1, role: .worker, run: two))
    store.answer(.failure(StoreFailure(reason: "not here yet", mayPass: false)))
    #expect(services.versions == ["1.0 as worker"], "an outage is a restart, and no download")
    #expect(statuses.all.last?.failure == "not here yet")
    executor.obey(Duty(term: 1, role: .worker, run: one))
    #expect(services.versions == ["1.0 as worker"], "it runs already")
    executor.obey(Duty(term: 1, role: .worker, run: two))
    store.answer(.success(()))
    #expect(services.versions == ["1.0 as worker", "2.0 as worker"])
    executor.obey(Duty(term: 1, role: .worker, run: one))
    #expect(services.versions.last == "stop", "what is at hand is not waited for")
  }

  @Test func `what was verified for another start, or was wrong, is verified anew`() {
    executor.obey(Duty(term: 1, role: .worker, run: one))
    store.answer(.success(()))
    executor.obey(stops(for: two))
    // Once for the start, and once ahead, which had not been done.
    store.answer(.success(()))
    store.answer(.success(()))
    executor.obey(Duty(term: 1, role: .worker, run: one, plan: PlanID(.zero)))
    #expect(services.versions == ["1.0 as worker", "stop"])
    store.answer(.success(()))
    #expect(services.versions == ["1.0 as worker", "stop", "1.0 as worker"])
    executor.obey(stops(for: two))
    store.answer(.failure(StoreFailure(reason: "gone", mayPass: true)))
    executor.obey(Duty(term: 1, role: .worker, run: two, plan: PlanID(.zero)))
    #expect(services.versions.last == "stop")
    store.answer(.success(()))
    #expect(services.versions.last == "2.0 as worker")
  }
}
