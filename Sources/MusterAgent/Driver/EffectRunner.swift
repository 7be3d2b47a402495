import MusterProtocol
import MusterState

/// Carries out what the peer asks for, in the order in which it asks.
///
/// What comes back (a write that is done, an answer) reaches the peer as an input, never from
/// within `carryOut`.
final class EffectRunner {
  /// The world as the effects need it.
  struct Outlets {
    var send: ([UInt8], Address) -> Void
    var multicast: ([UInt8]) -> Void
    var persist: ([UInt8], _ ticket: UInt64) -> Void
    var event: (Event) -> Void
    var duty: (Duty) -> Void
    var stop: (StopReason) -> Void
  }

  /// Operators' requests under way at once; a further one is refused.
  static let requests = 256

  private let outlets: Outlets
  private var replies: [UInt64: (Reply) -> Void] = [:]
  private var lastTicket: UInt64 = 0
  private var isHalted = false

  init(outlets: Outlets) { self.outlets = outlets }

  /// A ticket for a command; its reply goes to `completion`, once. `nil` at the limit.
  func ticket(for completion: @escaping (Reply) -> Void) -> UInt64? {
    guard replies.count < Self.requests else { return nil }
    lastTicket += 1
    replies[lastTicket] = completion
    return lastTicket
  }

  func carryOut(_ effects: [Effect]) {
    for effect in effects where !isHalted {
      switch effect {
      case .send(let bytes, let address): outlets.send(bytes, address)
      case .multicast(let bytes): outlets.multicast(bytes)
      case .persist(let bytes, let ticket): outlets.persist(bytes, ticket)
      case .event(let event): outlets.event(event)
      case .reply(let ticket, let reply): replies.removeValue(forKey: ticket)?(reply)
      case .duty(let duty): outlets.duty(duty)
      case .stop(let reason): outlets.stop(reason)
      }
    }
  }

  /// Carries out nothing any more, and refuses what operators still wait for.
  func halt(_ reason: String) {
    isHalted = true
    let waiting = replies.sorted { $0.key < $1.key }
    replies = [:]
    for (_, completion) in waiting { completion(.refused(reason)) }
  }
}
