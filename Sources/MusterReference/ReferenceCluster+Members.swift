import MusterProtocol
import MusterSimulator

/// Alive, suspect and dead, and which of two claims is the newer.
extension ReferenceCluster {
  mutating func alive(_ subject: UInt16, incarnation: UInt32, at node: ReferenceNode) {
    let old = node.opinions[Int(subject)]
    if Int(subject) == node.index {
      if incarnation > old.incarnation { refute(incarnation, node) }
      return
    }
    if old.state == .unknown {
      enrol(subject, node)
    } else if incarnation <= old.incarnation {
      return
    }
    node.suspicions[subject] = nil
    node.deadSince[subject] = nil
    node.opinions[Int(subject)] = Opinion(.alive, incarnation: incarnation)
    spread(.alive(subject, incarnation: incarnation), about: Int(subject), by: node)
    sightings.append(
      Sighting(
        observer: node.index, subject: Int(subject), state: old.state == .alive ? .updated : .alive)
    )
  }

  /// A new member takes a place of chance in the order of probing.
  private mutating func enrol(_ subject: UInt16, _ node: ReferenceNode) {
    let place = Int(dice.below(UInt64(node.order.count + 1)))
    node.order.append(subject)
    node.order.swapAt(place, node.order.count - 1)
  }

  mutating func suspect(
    _ subject: UInt16, incarnation: UInt32, by accuser: UInt16, at node: ReferenceNode
  ) {
    let old = node.opinions[Int(subject)]
    guard old.state != .unknown, incarnation >= old.incarnation else { return }
    if node.suspicions[subject] != nil {
      confirm(subject, incarnation: incarnation, by: accuser, at: node)
      return
    }
    guard old.state == .alive else { return }
    if Int(subject) == node.index { return refute(incarnation, node) }
    spread(
      .suspect(subject, incarnation: incarnation, by: accuser), about: Int(subject), by: node)
    node.opinions[Int(subject)] = Opinion(.suspect, incarnation: incarnation)
    node.serial &+= 1
    let count = node.order.count
    node.suspicions[subject] = RunningSuspicion(
      since: now, count: count, accusers: [accuser], serial: node.serial)
    after(
      settings.suspicionTime(count, confirmed: 0), .suspicion(subject, serial: node.serial),
      node.index)
    sightings.append(Sighting(observer: node.index, subject: Int(subject), state: .suspect))
  }

  /// An independent accuser shortens the time, and is passed on.
  private mutating func confirm(
    _ subject: UInt16, incarnation: UInt32, by accuser: UInt16, at node: ReferenceNode
  ) {
    guard var suspicion = node.suspicions[subject],
      suspicion.confirmed < settings.confirmations(suspicion.count),
      !suspicion.accusers.contains(accuser)
    else { return }
    suspicion.accusers.append(accuser)
    node.serial &+= 1
    suspicion.serial = node.serial
    node.suspicions[subject] = suspicion
    let whole = settings.suspicionTime(suspicion.count, confirmed: suspicion.confirmed)
    let left = max(.zero, suspicion.since + whole - now)
    after(left, .suspicion(subject, serial: suspicion.serial), node.index)
    spread(
      .suspect(subject, incarnation: incarnation, by: accuser), about: Int(subject), by: node)
  }

  mutating func expire(_ subject: UInt16, _ serial: UInt32, _ node: ReferenceNode) {
    guard node.suspicions[subject]?.serial == serial else { return }
    dead(subject, incarnation: node.opinions[Int(subject)].incarnation, at: node)
  }

  mutating func dead(_ subject: UInt16, incarnation: UInt32, at node: ReferenceNode) {
    let old = node.opinions[Int(subject)]
    guard old.state != .unknown, incarnation >= old.incarnation else { return }
    if Int(subject) == node.index { return refute(incarnation, node) }
    node.suspicions[subject] = nil
    guard old.state != .dead else { return }
    node.opinions[Int(subject)] = Opinion(.dead, incarnation: incarnation)
    node.deadSince[subject] = now
    spread(
      .dead(subject, incarnation: incarnation, by: UInt16(node.index)), about: Int(subject),
      by: node)
    sightings.append(Sighting(observer: node.index, subject: Int(subject), state: .dead))
  }

  /// Says with a higher incarnation that it lives; to be accused is a sign of bad health.
  private mutating func refute(_ accused: UInt32, _ node: ReferenceNode) {
    guard !node.isLeaving else { return }
    node.incarnation = max(node.incarnation, accused) + 1
    node.opinions[node.index] = Opinion(.alive, incarnation: node.incarnation)
    adjustAwareness(1, node)
    spread(
      .alive(UInt16(node.index), incarnation: node.incarnation), about: node.index, by: node)
  }

  mutating func spread(_ message: ReferenceMessage, about subject: Int, by node: ReferenceNode) {
    node.updates.put(message, about: UInt32(subject))
    armGossip(node.index)
  }
}
