import MusterAgent
import MusterProtocol
import MusterState
import MusterSystem
import Testing

@Suite struct DriverClockWatchTests {
  private typealias Reading = ClockWatch.Reading
  private static let second: Int64 = 1_000_000_000

  @Test func `a wall clock that gains more than a second means that the other stood`() {
    let second = Self.second
    var watch = ClockWatch(Reading(boot: 5 * second, wall: 1_000 * second))
    #expect(watch.stood(at: Reading(boot: 9 * second, wall: 1_004 * second)) == nil)
    #expect(watch.stood(at: Reading(boot: 9 * second, wall: 1_005 * second)) == nil)
    #expect(
      watch.stood(at: Reading(boot: 10 * second, wall: 1_036 * second)) == .seconds(30))
    // It is said once, and a wall clock that is set back is no stop.
    #expect(watch.stood(at: Reading(boot: 11 * second, wall: 1_037 * second)) == nil)
    #expect(watch.stood(at: Reading(boot: 12 * second, wall: 7 * second)) == nil)
    #expect(watch.stood(at: Reading(boot: 13 * second, wall: 8 * second)) == nil)
  }

  @Test func `the clocks of this machine agree`() {
    var watch = ClockWatch(.now)
    for _ in 0..<1_000 { #expect(watch.stood(at: .now) == nil) }
  }

  private final class Seen {
    var inputs: [String] = []
    var reading = Reading(boot: 0, wall: 0)
  }

  @Test func `the peer is told before anything else, and before anybody sees its state`() throws {
    let seen = Seen()
    let view = Sample.view()
    let run = PeerRun(
      PeerRun.Face(
        handle: { input, _ in
          switch input {
          case .clockStood(let span): seen.inputs.append("stood \(span.milliseconds)")
          case .timer: seen.inputs.append("timer")
          default: seen.inputs.append("other")
          }
          return []
        }, deadline: { nil },
        view: { _ in
          seen.inputs.append("view")
          return view
        }), loop: try EventLoop(), clocks: { seen.reading })
    run.feed(.timer)
    seen.reading.wall += 3 * Self.second
    run.feed(.timer)
    seen.reading.wall += 4 * Self.second
    _ = run.view
    #expect(seen.inputs == ["timer", "stood 3000", "timer", "stood 4000", "view"])
  }
}
