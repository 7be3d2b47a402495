import MusterAgent
import MusterReleases
import MusterState
import MusterSystem
import Testing

/// A look at every byte, because an operator wants to know it of all nodes.
extension DriverExecutorTests {
  private func looking(_ number: UInt64?) -> Duty {
    Duty(
      term: 1, role: .worker, run: one,
      inspect: number.map {
        InspectionOrder(id: PlanID(Bytes16(high: $0, low: 0)), release: one)
      })
  }

  private var looks: Int { store.calls.count { $0.hasPrefix("inspect") } }
  private var verdict: InspectionVerdict? { statuses.all.last?.inspected }

  @Test func `each order to look is answered once, with what was found`() {
    executor.obey(looking(1))
    executor.obey(looking(1))
    #expect(looks == 1)
    var found = ReleaseInspection()
    found.files = 3
    store.inspections.removeFirst()(.success(found))
    #expect(verdict?.isGood == true && verdict?.text == "3 files, 0 bytes")
    executor.obey(looking(1))
    #expect(looks == 1, "it has been answered")

    executor.obey(looking(2))
    found.problems = [ReleaseInspection.Problem(path: "bin/a", reason: "is missing")]
    found.problemCount = 2
    store.inspections.removeFirst()(.success(found))
    #expect(verdict?.isGood == false && verdict?.text == "bin/a is missing, and 1 more")
    #expect(verdict?.id == looking(2).inspect?.id)
  }

  @Test func `an order that another has replaced is not answered any more`() {
    executor.obey(looking(1))
    executor.obey(looking(2))
    #expect(looks == 2)
    store.inspections.removeFirst()(.success(ReleaseInspection()))
    #expect(verdict == nil)
    store.inspections.removeFirst()(
      .failure(StoreFailure(reason: "the share is lost", mayPass: true)))
    #expect(verdict?.id == looking(2).inspect?.id && verdict?.isGood == false)
    #expect(verdict?.text == "the share is lost")
  }
}
