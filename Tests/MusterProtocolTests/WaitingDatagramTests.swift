import MusterState
import Testing

@testable import MusterProtocol

/// What waits on a socket is one turn: see `Input.datagrams`.
@Suite struct WaitingDatagramTests {
  /// A probe of the sender whose time-out has come, and the answer that waits to be read.
  private func late() throws -> (bench: Bench, answer: Datagram) {
    var bench = try Bench()
    for _ in 0..<200 {
      bench.now = try #require(bench.sender.deadline)
      for ping in bench.sender.handle(.timer, at: bench.now).sent {
        let heard = bench.receiver.handle(
          .datagram(ping, from: Bench.senderAddress), at: bench.now)
        let probe = bench.sender.prober.targets[bench.receiver.id]?.probe
        guard let probe, let answer = heard.sent.first else { continue }
        bench.now = probe.expires
        return (bench, Datagram(answer, from: Bench.receiverAddress))
      }
    }
    throw Silence()
  }

  private struct Silence: Error {}

  @Test func `an answer that waits behind others is read before its time-out`() throws {
    let (bench, answer) = try late()
    let noise = Datagram([1, 2, 3], from: Bench.newcomerAddress)
    var (patient, hasty) = (bench.sender, bench.sender)
    _ = patient.handle(.datagrams([noise, noise, answer], isMore: false), at: bench.now)
    #expect(patient.counters.probesSent == bench.sender.counters.probesSent)
    #expect(patient.allDropped == bench.sender.allDropped + 2)
    #expect(patient.prober.targets[bench.receiver.id]?.probe == nil)
    var reading = bench.sender
    _ = reading.handle(.datagrams([noise], isMore: true), at: bench.now)
    #expect(reading.counters.probesSent == bench.sender.counters.probesSent)
    _ = reading.handle(.datagrams([answer], isMore: false), at: bench.now)
    #expect(reading.counters.probesSent == bench.sender.counters.probesSent)
    #expect(reading.prober.targets[bench.receiver.id]?.probe == nil)
    // One turn each: the first of them finds the time-out and asks again.
    for datagram in [noise, noise, answer] {
      _ = hasty.handle(.datagram(datagram.bytes, from: datagram.source), at: bench.now)
    }
    #expect(hasty.counters.probesSent == bench.sender.counters.probesSent + 1)
  }

  @Test func `many in one turn teach what each in its own teaches`() throws {
    var bench = try Bench()
    let sent = try (1...40).map { number in
      var frame = Frame()
      frame.records = [bench.record(.other("r\(number)"), [1], version: 1)]
      return Datagram(try bench.sealed(frame), from: Bench.senderAddress)
    }
    var (together, apart) = (bench.receiver, bench.receiver)
    _ = together.handle(.datagrams(sent, isMore: false), at: bench.now)
    for datagram in sent {
      _ = apart.handle(.datagram(datagram.bytes, from: datagram.source), at: bench.now)
    }
    #expect(together.picture(at: bench.now) == apart.picture(at: bench.now))
    #expect(together.counters.recordsApplied == bench.receiver.counters.recordsApplied + 40)
  }
}
