import MusterProtocol
import MusterState

/// Carries out what the peer asks for, in the order in which it asks.
///
/// What comes back (a write that is done, an answer) reaches the peer as an input, never from
/// within `carryOut`.
package final class EffectRunner {
  /// The world as the effects need it.
  package struct Outlets {
    package var send: ([UInt8], Address) -> Void
    package var multicast: ([UInt8]) -> Void
    package var persist: ([UInt8], _ ticket: UInt64) -> Void
    package var event: (Event) -> Void
    package var duty: (Duty) -> Void
    package var stop: (StopReason) -> Void
    /// Called behind the effects of a turn: what was sent may wait for it.
    package var flush: () -> Void

    package init(
      send: @escaping ([UInt8], Address) -> Void, multicast: @escaping ([UInt8]) -> Void,
      persist: @escaping ([UInt8], _ ticket: UInt64) -> Void, event: @escaping (Event) -> Void,
      duty: @escaping (Duty) -> Void, stop: @escaping (StopReason) -> Void,
      flush: @escaping () -> Void = {}
    ) {
      self.send = send
      self.multicast = multicast
      self.persist = persist
      self.event = event
      self.duty = duty
      self.stop = stop
      self.flush = flush
    }
  }

  /// Operators' requests under way at once; a further one is refused.
  package static let requests = 256

  private let outlets: Outlets
  private var replies: [UInt64: (Reply) -> Void] = [:]
  private var lastTicket: UInt64 = 0
  private var isHalted = false

  package init(outlets: Outlets) { self.outlets = outlets }

  /// A ticket for a command; its reply goes to `completion`, once. `nil` at the limit.
  package func ticket(for completion: @escaping (Reply) -> Void) -> UInt64? {
    guard replies.count < Self.requests else { return nil }
    lastTicket += 1
    replies[lastTicket] = completion
    return lastTicket
  }

  package func carryOut(_ effects: [Effect]) {
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
    outlets.flush()
  }

  /// Carries out nothing any more, and refuses what operators still wait for.
  package func halt(_ reason: String) {
    isHalted = true
    let waiting = replies.sorted { $0.key < $1.key }
    replies = [:]
    for (_, completion) in waiting { completion(.refused(reason)) }
  }
}
