import MusterProtocol
import MusterState

/// What a node shows of its term, vote, founding and register is on its disk before anybody can
/// see it (I9): a crash at any instruction unsays nothing.
struct DurableBeforeVisible: Checker {
  let name = "durable-before-visible"

  mutating func look(at moment: Moment, in simulation: Simulation) throws(Violation) {
    guard let shown = moment.shown, let founding = shown.founding else { return }
    let node = simulation.nodes[moment.node]
    guard let disk = node.disk.flatMap({ DurableAudit(decoding: $0) }),
      disk.founding == founding
    else {
      throw broken(simulation, "\(node.name) shows a founding that is not on its disk")
    }
    if shown.term > disk.term {
      throw broken(
        simulation, "\(node.name) shows term \(shown.term), its disk has \(disk.term)")
    }
    if shown.term == disk.term, shown.vote != nil, shown.vote != disk.vote {
      throw broken(
        simulation, "\(node.name) shows a vote in term \(shown.term) that its disk lacks")
    }
    if shown.register > disk.register {
      throw broken(
        simulation,
        "\(node.name) shows register \(shown.register), its disk has \(disk.register)")
    }
  }
}
