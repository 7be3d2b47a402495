import MusterSimulator
import MusterState
import Testing

@testable import MusterProtocol

/// Accusations wait for each other, and only the observers know of them meanwhile.
@Suite struct DraftTests {
  /// A node that observes another, and the other observers.
  private struct Watch {
    var judge: Peer
    var subject: NodeID
    var others: [Peer]

    var isBelieved: Bool { judge.members[subject]?.state == .alive }

    /// What another observer says, signed by it.
    func accusation(by index: Int) throws -> Record {
      var author = others[index]
      let stamp = try #require(author.members[subject]).stamp
      let content = Suspicion(subject: subject, stamp: stamp).encoded
      let record = author.sign(.suspicion(subject), content)
      return try #require(record)
    }

    mutating func wait(_ span: TimeSpan) {
      judge.now = judge.now + span
      judge.draftsDue()
    }
  }

  private func watch() throws -> Watch {
    var simulation = Simulation(seed: 5, expect: 12)
    for _ in 0..<12 { simulation.add() }
    simulation.form(usesMulticast: false)
    simulation.run(for: .seconds(8))
    let subject = try #require(simulation.id(3))
    let observers = try #require(simulation.nodes[0].peer).observers(of: subject, wide: false)
    #expect(observers.count == Limits.observers)
    let peers = observers.compactMap { id in
      simulation.nodes.lazy.compactMap(\.peer).first { $0.id == id }
    }
    var judge = try #require(peers.first)
    judge.now = simulation.now
    _ = judge.outbox.take()
    return Watch(judge: judge, subject: subject, others: Array(peers.dropFirst()))
  }

  private func expect(
    _ watch: Watch, isBelieved: Bool, at place: SourceLocation = #_sourceLocation
  ) {
    // A failed expectation prints all that it was made of.
    let found = watch.isBelieved
    #expect(found == isBelieved, sourceLocation: place)
  }

  @Test func `one observer's word is held, and forgotten when nothing comes of it`() throws {
    var watch = try watch()
    let record = try watch.accusation(by: 0)
    watch.judge.take(record, from: record.author)
    expect(watch, isBelieved: true)
    let passedOn = watch.judge.outbox.take().count
    #expect(passedOn == 0)
    watch.wait(watch.judge.timing.joining)
    expect(watch, isBelieved: true)
    let left = watch.judge.prober.targets[watch.subject]?.drafts.count
    #expect(left == 0)
  }

  @Test func `what comes by others, or once more, is no draft`() throws {
    var watch = try watch()
    let record = try watch.accusation(by: 0)
    var other = watch
    other.judge.take(record, from: watch.others[1].id)
    expect(other, isBelieved: false)
    watch.judge.take(record, from: record.author)
    watch.judge.take(record, from: record.author)
    expect(watch, isBelieved: false)
  }

  @Test func `three are said together`() throws {
    var watch = try watch()
    watch.judge.accuse(watch.subject)
    expect(watch, isBelieved: true)
    for index in 0...1 {
      expect(watch, isBelieved: true)
      let record = try watch.accusation(by: index)
      watch.judge.take(record, from: record.author)
    }
    let agreeing = watch.judge.agreement(on: watch.subject).agreeing
    #expect(agreeing == Limits.accusers)
    let passedOn = watch.judge.outbox.take().count
    #expect(passedOn == Limits.accusers)
    // This node has said nothing else than what it had told the others.
    let version = watch.judge.ownVersions[.suspicion(watch.subject)]
    #expect(version == 1)
  }

  @Test func `one that has waited long enough is said alone, unless its subject has answered`()
    throws
  {
    var watch = try watch()
    watch.judge.accuse(watch.subject)
    var answered = watch
    answered.judge.prober.targets[watch.subject]?.failedAt = watch.judge.now
    answered.judge.prober.acquit(watch.subject)
    answered.wait(watch.judge.timing.joining)
    expect(answered, isBelieved: true)
    watch.wait(watch.judge.timing.joining - .milliseconds(1))
    expect(watch, isBelieved: true)
    watch.wait(.milliseconds(1))
    expect(watch, isBelieved: false)
  }

  /// Found by seed 3096: all others had an accusation that its author did not know any more.
  @Test func `what others have said for its author stands for it, too`() throws {
    var watch = try watch()
    watch.judge.accuse(watch.subject)
    let draft = try #require(watch.judge.prober.targets[watch.subject]?.drafts[watch.judge.id])
    watch.judge.prober.targets[watch.subject]?.drafts = SortedTable()
    watch.judge.take(draft.record, from: watch.others[0].id)
    expect(watch, isBelieved: false)
    let key = watch.judge.recordKey(watch.judge.id, .suspicion(watch.subject))
    let version = watch.judge.store[key]?.version
    #expect(version == 1)
  }

  @Test func `nothing older takes the place of what is said`() throws {
    var watch = try watch()
    watch.judge.accuse(watch.subject)
    let name = RecordName.suspicion(watch.subject)
    let content = try #require(watch.judge.prober.targets[watch.subject]?.drafts[watch.judge.id])
      .record.content
    watch.judge.publish(name, content, isForced: true)
    let version = watch.judge.store[watch.judge.recordKey(watch.judge.id, name)]?.version
    #expect(version == 2)
  }

  /// Whoever stood still has not listened meanwhile.
  @Test func `a stall makes them wait longer`() throws {
    var watch = try watch()
    watch.judge.accuse(watch.subject)
    watch.judge.prober.shift(by: .milliseconds(100), limit: watch.judge.now)
    watch.wait(watch.judge.timing.joining)
    expect(watch, isBelieved: true)
    watch.wait(.milliseconds(100))
    expect(watch, isBelieved: false)
  }

  @Test func `what is open makes everything open`() throws {
    var watch = try watch()
    let record = try watch.accusation(by: 0)
    watch.judge.take(record, from: record.author)
    let open = try watch.accusation(by: 1)
    watch.judge.take(open, from: watch.others[2].id)
    let agreeing = watch.judge.agreement(on: watch.subject).agreeing
    #expect(agreeing == 2)
  }
}
