import Glibc
import MusterAgent
import MusterProtocol
import MusterState
import MusterSystem
import Testing

@Suite struct DriverEffectTests {
  /// Everything that the effects did, in order.
  private final class Record {
    var done: [String] = []

    func outlets() -> EffectRunner.Outlets {
      EffectRunner.Outlets(
        send: { [self] in done.append("send \($0) to \($1)") },
        multicast: { [self] in done.append("multicast \($0)") },
        persist: { [self] in done.append("persist \($0) \($1)") },
        event: { [self] _ in done.append("event") },
        duty: { [self] in done.append("duty \($0.term)") },
        stop: { [self] in done.append("stop \($0)") })
    }
  }

  private let here = Address(v4: 0x7f00_0001, port: 7)

  @Test func `effects are carried out in order`() {
    let record = Record()
    let runner = EffectRunner(outlets: record.outlets())
    runner.carryOut([
      .send([1], to: here), .persist([2], ticket: 3), .multicast([4]),
      .event(.memberForgotten(NodeID(.zero))), .duty(Duty(term: 5)), .stop(.left),
    ])
    #expect(
      record.done == [
        "send [1] to 127.0.0.1:7", "persist [2] 3", "multicast [4]", "event", "duty 5",
        "stop left",
      ])
  }

  @Test func `a reply reaches whoever asked, once`() throws {
    let runner = EffectRunner(outlets: Record().outlets())
    var replies: [String] = []
    let first = try #require(runner.ticket { replies.append("first \($0)") })
    let second = try #require(runner.ticket { replies.append("second \($0)") })
    runner.carryOut([
      .reply(ticket: second, .done), .reply(ticket: first, .refused("no")),
      .reply(ticket: first, .done), .reply(ticket: 99, .done),
    ])
    #expect(replies == ["second done", "first refused(\"no\")"])
  }

  @Test func `there is a limit to requests under way`() {
    let runner = EffectRunner(outlets: Record().outlets())
    for _ in 0..<EffectRunner.requests { #expect(runner.ticket { _ in } != nil) }
    #expect(runner.ticket { _ in } == nil)
  }

  @Test func `once halted, nothing is shown and everybody is told`() {
    let record = Record()
    let runner = EffectRunner(outlets: record.outlets())
    var replies: [Reply] = []
    _ = runner.ticket { replies.append($0) }
    runner.halt("over")
    runner.carryOut([.send([1], to: here)])
    #expect(record.done.isEmpty)
    #expect(replies == [.refused("over")])
  }

  // MARK: Feeding

  private final class Script {
    var seen: [String] = []
    var effects: [String: [Effect]] = [:]
    var deadline: Instant?
    var afterTimer: () -> Void = {}

    func face() -> PeerRun.Face {
      PeerRun.Face(
        handle: { [self] input, _ in
          let name = Self.name(input)
          seen.append(name)
          if name == "timer" { afterTimer() }
          return effects.removeValue(forKey: name) ?? []
        }, deadline: { [self] in deadline }, view: { _ in preconditionFailure("not asked for") })
    }

    static func name(_ input: Input) -> String {
      switch input {
      case .start: "start"
      case .datagram(let bytes, _): "datagram \(bytes)"
      case .datagrams(let waiting, let isMore):
        "datagrams \(waiting.map(\.bytes))\(isMore ? " and more" : "")"
      case .timer: "timer"
      case .persisted(let ticket): "persisted \(ticket)"
      case .command(_, let ticket): "command \(ticket)"
      case .status: "status"
      case .clockStood: "clock"
      }
    }
  }

  @Test func `an input from within an effect waits for the effects before it`() throws {
    let script = Script()
    let run = PeerRun(script.face(), loop: try EventLoop())
    var order: [String] = []
    run.carryOut = { effects in
      for effect in effects {
        if case .duty(let duty) = effect {
          run.feed(.status(LocalStatus()))
          order.append("duty \(duty.term), seen \(script.seen)")
        }
      }
    }
    script.effects["start"] = [.duty(Duty(term: 1)), .duty(Duty(term: 2))]
    run.feed(.start)
    #expect(script.seen == ["start", "status", "status"])
    #expect(order == ["duty 1, seen [\"start\"]", "duty 2, seen [\"start\"]"])
  }

  @Test func `the timer comes at the deadline, and follows it`() throws {
    let loop = try EventLoop()
    let script = Script()
    let run = PeerRun(script.face(), loop: loop)
    script.deadline = Instant(nanoseconds: loop.now + 3_600_000_000_000)
    run.feed(.start)
    let near = Instant(nanoseconds: loop.now + 5_000_000)
    script.deadline = near
    run.feed(.datagram([1], from: here))
    #expect(script.seen.last != "timer")
    script.afterTimer = { script.deadline = nil }
    #expect(try driverWait(loop) { script.seen.last == "timer" })
    #expect(loop.now >= near.nanoseconds)
    run.feed(.datagram([2], from: here))
    try loop.turn(limit: 10_000_000)
    #expect(script.seen.count { $0 == "timer" } == 1)
  }

  @Test func `timers wait for datagrams that wait, and no longer than a second`() throws {
    let loop = try EventLoop()
    let script = Script()
    let run = PeerRun(script.face(), loop: loop)
    script.deadline = .zero
    let began = loop.now
    run.read([], isMore: true)
    #expect(script.seen == ["datagrams [] and more"])
    try loop.turn(limit: 20_000_000)
    #expect(script.seen.count == 1)
    script.afterTimer = { script.deadline = nil }
    #expect(try driverWait(loop) { script.seen.last == "timer" })
    #expect(loop.now - began >= 1_000_000_000)
    run.read([], isMore: true)
    #expect(script.seen.last == "datagrams []", "a second is over: all is looked at")
    run.read([], isMore: true)
    #expect(script.seen.last == "datagrams [] and more")
    script.deadline = .zero
    run.read([], isMore: false)
    #expect(script.seen.last == "datagrams []")
    #expect(try driverWait(loop) { script.seen.last == "timer" })
  }

  @Test func `a deadline that has passed does not keep the loop`() throws {
    let loop = try EventLoop()
    let script = Script()
    let run = PeerRun(script.face(), loop: loop)
    script.deadline = .zero
    run.feed(.start)
    for turn in 1...3 {
      #expect(try driverWait(loop) { script.seen.count == turn + 1 })
    }
  }

  @Test func `a halted peer hears nothing`() throws {
    let script = Script()
    let run = PeerRun(script.face(), loop: try EventLoop())
    run.carryOut = { _ in run.halt() }
    run.feed(.start)
    run.feed(.timer)
    #expect(script.seen == ["start"])
  }
}
