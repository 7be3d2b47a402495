import MusterProtocol
import MusterState
import MusterSystem

/// Feeds one peer: inputs in the order in which they come, with the time of the loop, and the
/// timer that the peer asks for.
///
/// An input that an effect gives rise to waits until the effects before it are carried out.
package final class PeerRun {
  /// The face of a `Peer`.
  package struct Face {
    package var handle: (Input, Instant) -> [Effect]
    package var deadline: () -> Instant?
    package var view: (Instant) -> ClusterView

    package init(
      handle: @escaping (Input, Instant) -> [Effect], deadline: @escaping () -> Instant?,
      view: @escaping (Instant) -> ClusterView
    ) {
      self.handle = handle
      self.deadline = deadline
      self.view = view
    }
  }

  private static let longestReading: Int64 = 1_000_000_000

  package var carryOut: ([Effect]) -> Void = { _ in }
  private let face: Face
  private let loop: EventLoop
  private var inputs: [Input] = []
  private var isHandling = false
  /// Since when datagrams have waited all the time.
  private var readingSince: Int64?
  private var isHalted = false
  private var alarm: (token: EventLoop.TimerToken, time: Int64)?
  private let clocks: () -> ClockWatch.Reading
  private var watch: ClockWatch

  /// - Parameter clocks: reads both clocks.
  package init(
    _ face: Face, loop: EventLoop, clocks: @escaping () -> ClockWatch.Reading = { .now }
  ) {
    self.face = face
    self.loop = loop
    self.clocks = clocks
    watch = ClockWatch(clocks())
  }

  /// - Parameter journal: records each turn.
  package convenience init(_ peer: Peer, loop: EventLoop, journal: JournalRecorder? = nil) {
    // The closures share the one copy.
    var peer = peer
    let handle = { (input: Input, now: Instant) in peer.handle(input, at: now) }
    self.init(
      Face(
        handle: { input, now in
          journal?.handle(input, at: now, by: handle) ?? handle(input, now)
        }, deadline: { peer.deadline },
        view: { peer.view(at: $0) }),
      loop: loop)
  }

  /// Nobody is told of a lease that ended while the clock stood.
  package var view: ClusterView {
    watchClock()
    return face.view(now)
  }

  private var now: Instant { Instant(nanoseconds: loop.now) }

  private func watchClock() {
    if let span = watch.stood(at: clocks()) { handle(.clockStood(span)) }
  }

  package func feed(_ input: Input) {
    watchClock()
    handle(input)
  }

  /// Feeds datagrams. While more wait, timers do: what clears a suspect may be among them. Who is
  /// flooded looks at them once in a second all the same.
  package func read(_ waiting: [Datagram], isMore: Bool) {
    let time = loop.now
    let began = readingSince ?? time
    let isReading = isMore && time - began < Self.longestReading
    readingSince = isReading ? began : nil
    feed(.datagrams(waiting, isMore: isReading))
  }

  private func handle(_ input: Input) {
    guard !isHalted else { return }
    inputs.append(input)
    guard !isHandling else { return }
    isHandling = true
    var index = 0
    while index < inputs.count, !isHalted {
      carryOut(face.handle(inputs[index], now))
      index += 1
    }
    inputs.removeAll(keepingCapacity: true)
    isHandling = false
    setAlarm()
  }

  /// Feeds nothing any more.
  package func halt() {
    isHalted = true
    if let alarm { loop.cancel(alarm.token) }
    alarm = nil
  }

  /// While datagrams wait, no alarm is due before reading may last no longer.
  private var next: Int64? {
    guard let deadline = face.deadline()?.nanoseconds else { return nil }
    return readingSince.map { max(deadline, $0 + Self.longestReading) } ?? deadline
  }

  private func setAlarm() {
    let wanted = isHalted ? nil : next
    if let alarm {
      if alarm.time == wanted { return }
      loop.cancel(alarm.token)
    }
    alarm = nil
    guard let wanted else { return }
    // Never within this turn: a deadline that has passed must not keep the sockets waiting.
    let token = loop.schedule(at: max(wanted, loop.now + 1)) { [weak self] in
      self?.alarm = nil
      self?.feed(.timer)
    }
    alarm = (token, wanted)
  }
}
