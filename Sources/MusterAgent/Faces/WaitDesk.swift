import MusterSystem

/// Operators' waits: looked at again after every event and every 50 ms, answered when all
/// conditions hold or their time is over.
final class WaitDesk {
  private struct Wait {
    let serial: UInt64
    let conditions: [WaitCondition]
    let began: Int64
    let limit: Int64
    let responder: HttpResponder
  }

  private static let interval: Int64 = 50_000_000

  private let loop: EventLoop
  private unowned let interior: any AgentInterior
  private var waits: [Wait] = []
  private var serial: UInt64 = 0
  private var timer: EventLoop.TimerToken?
  private var isLookWanted = false
  private var subscription: EventHistory.Subscription?

  init(loop: EventLoop, interior: any AgentInterior) {
    self.loop = loop
    self.interior = interior
    subscription = interior.history.subscribe { [unowned self] in self.lookSoon() }
  }

  /// - Parameter limit: nanoseconds.
  func add(_ conditions: [WaitCondition], limit: Int64, responder: HttpResponder) {
    serial += 1
    let serial = serial
    waits.append(
      Wait(
        serial: serial, conditions: conditions, began: loop.now, limit: limit,
        responder: responder))
    responder.whenAbandoned { [weak self] in self?.waits.removeAll { $0.serial == serial } }
    look()
  }

  func close() {
    if let subscription { interior.history.unsubscribe(subscription) }
    subscription = nil
    if let timer { loop.cancel(timer) }
    timer = nil
    waits = []
  }

  /// Many events may come in one turn: one look after it serves them all.
  private func lookSoon() {
    guard !waits.isEmpty, !isLookWanted else { return }
    isLookWanted = true
    loop.schedule(after: 0) { [weak self] in self?.look() }
  }

  private func look() {
    isLookWanted = false
    guard !waits.isEmpty else { return }
    let view = interior.view
    let now = loop.now
    var answers: [(HttpResponder, HttpResponse)] = []
    waits.removeAll { wait in
      let missing = wait.conditions.compactMap { $0.missing(in: view) }
      guard missing.isEmpty || now - wait.began >= wait.limit else { return false }
      answers.append((wait.responder, Self.response(wait, missing, now: now)))
      return true
    }
    for (responder, response) in answers { responder.answer(response) }
    rearm()
  }

  private func rearm() {
    if let timer { loop.cancel(timer) }
    timer = nil
    guard let earliest = waits.map({ $0.began + $0.limit }).min() else { return }
    let next = min(earliest, loop.now + Self.interval)
    timer = loop.schedule(at: next) { [weak self] in
      self?.timer = nil
      self?.look()
    }
  }

  private static func response(_ wait: Wait, _ missing: [String], now: Int64) -> HttpResponse {
    let waited = (now - wait.began) / 1_000_000
    if missing.isEmpty { return HttpResponse(json: ["met": true, "waited_ms": .integer(waited)]) }
    return FaceError(
      408, "timed out after \(waited) ms", advice: "look at `muster status` and `muster members`",
      details: [JsonMember("missing", .array(missing.map { .string($0) }))]
    ).response
  }
}
