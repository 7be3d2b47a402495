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

  package var carryOut: ([Effect]) -> Void = { _ in }
  private let face: Face
  private let loop: EventLoop
  private var inputs: [Input] = []
  private var isHandling = false
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

  private func setAlarm() {
    let wanted = isHalted ? nil : face.deadline()?.nanoseconds
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
