import MusterProtocol
import MusterReference
import MusterSimulator
import Testing

@Suite struct ReferenceClusterTests {
  /// When each sighting was made, up to an instant.
  private func run(
    _ cluster: inout ReferenceCluster, for span: TimeSpan
  ) -> [(at: Instant, what: ReferenceCluster.Sighting)] {
    var all: [(Instant, ReferenceCluster.Sighting)] = []
    let end = cluster.now + span
    while cluster.step(upTo: end) {
      for sighting in cluster.sightings { all.append((cluster.now, sighting)) }
    }
    return all
  }

  private func formed(
    _ count: Int, seed: UInt64, _ settings: ReferenceSettings = ReferenceSettings()
  ) -> ReferenceCluster {
    var cluster = ReferenceCluster(count: count, seed: seed, settings: settings)
    cluster.form()
    return cluster
  }

  @Test(arguments: [32, 128])
  func `a crash is seen four decades after the first suspicion`(count: Int) throws {
    let minimum = ReferenceSettings().suspicionMinimum(count)
    var total = TimeSpan.zero
    let seeds: Int64 = 20
    for seed in 0..<seeds {
      var cluster = formed(count, seed: UInt64(seed))
      #expect(run(&cluster, for: .seconds(3)).isEmpty)
      cluster.crash(5)
      let crashed = cluster.now
      let seen = run(&cluster, for: .seconds(30))
      #expect(seen.allSatisfy { $0.what.subject == 5 })
      let suspect = try #require(seen.first { $0.what.state == .suspect })
      let dead = seen.filter { $0.what.state == .dead }
      #expect(Set(dead.map(\.what.observer)).count == count - 1)
      let first = try #require(dead.first).at
      #expect(first - suspect.at >= minimum && first - suspect.at < minimum + .milliseconds(400))
      total = total + (first - crashed)
    }
    // The probe fails after one second; somebody begins it after one more, in the mean.
    let mean = total / seeds - minimum
    #expect(mean > .milliseconds(1_500) && mean < .milliseconds(2_600), "\(mean.milliseconds) ms")
  }

  @Test func `without Lifeguard the same time is fixed from the start`() throws {
    var settings = ReferenceSettings()
    settings.parts = []
    var cluster = formed(32, seed: 4, settings)
    cluster.crash(5)
    let seen = run(&cluster, for: .seconds(30))
    let suspect = try #require(seen.first { $0.what.state == .suspect })
    let dead = try #require(seen.first { $0.what.state == .dead })
    #expect(dead.at - suspect.at == settings.suspicionMinimum(32))
  }

  @Test func `an update reaches all and is sent twelve times`() {
    var cluster = formed(128, seed: 2)
    _ = run(&cluster, for: .seconds(1))
    cluster.watched = 7
    cluster.update(7)
    let seen = run(&cluster, for: .seconds(5))
    #expect(Set(seen.filter { $0.what.state == .updated }.map(\.what.observer)).count == 127)
    #expect(cluster.sendsOfWatched == 12 * 128)
  }

  @Test func `a member that stood still for five seconds refutes`() {
    var cluster = formed(128, seed: 3)
    _ = run(&cluster, for: .seconds(1))
    cluster.pause(9)
    var seen = run(&cluster, for: .seconds(5))
    cluster.resume(9)
    seen += run(&cluster, for: .seconds(20))
    #expect(seen.contains { $0.what.subject == 9 && $0.what.state == .suspect })
    #expect(seen.contains { $0.what.subject == 9 && $0.what.state == .alive })
    #expect(!seen.contains { $0.what.state == .dead })
  }

  @Test func `a member that says goodbye is gone for all, and nobody has suspected it`() {
    var cluster = formed(64, seed: 7)
    _ = run(&cluster, for: .seconds(1))
    cluster.leave(9)
    let seen = run(&cluster, for: .seconds(10))
    #expect(Set(seen.filter { $0.what.state == .dead }.map(\.what.observer)).count == 63)
    #expect(seen.allSatisfy { $0.what.subject == 9 && $0.what.state == .dead })
    #expect(!cluster.isRunning(9))
  }

  @Test func `members that know one address find all`() {
    var cluster = ReferenceCluster(count: 40, seed: 5)
    for index in 0..<40 { cluster.join(index, through: 0) }
    _ = run(&cluster, for: .seconds(20))
    for index in 0..<40 { #expect(cluster.live(seenBy: index) == 40) }
  }

  @Test func `a stream gets through where datagrams are lost`() {
    var settings = ReferenceSettings()
    var suspicions: [Bool: Int] = [:]
    for isOn in [false, true] {
      settings.pingsByStream = isOn
      var cluster = formed(40, seed: 6, settings)
      cluster.network.lossPerMille = 300
      suspicions[isOn] = run(&cluster, for: .seconds(60)).count { $0.what.state == .suspect }
    }
    #expect(suspicions[true] ?? 0 < suspicions[false] ?? 0, "\(suspicions)")
  }

  @Test func `an event of the program on top reaches all once`() {
    var cluster = formed(64, seed: 8)
    cluster.publish(77, by: 3)
    let seen = run(&cluster, for: .seconds(5))
    #expect(seen.count == 63 && seen.allSatisfy { $0.what.state == .updated })
    #expect((0..<64).allSatisfy { cluster.hasSeen(77, $0) })
  }

  @Test func `the same seed is the same run`() {
    let runs = (0..<2).map { _ in
      var cluster = formed(32, seed: 9)
      cluster.network.lossPerMille = 200
      return run(&cluster, for: .seconds(30)).map { "\($0.at.nanoseconds) \($0.what)" }
    }
    #expect(runs[0] == runs[1] && !runs[0].isEmpty)
  }
}
