import MusterAgent
import MusterProtocol
import MusterState
import MusterSystem

/// Two real peers with libsodium that have met: one writes records, the other one is measured.
struct PeerPair {
  private static let cluster = ClusterID(Bytes16(high: 0x6d75_7374_6572, low: 1))
  private static let addresses = [
    Address(v4: 0x7f50_ff01, port: 7_946), Address(v4: 0x7f50_ff02, port: 7_946),
  ]

  private let keys: [SodiumCryptography]
  private var peers: [Peer]
  private var now = Instant(nanoseconds: 1_000_000_000)
  private var serial = 0

  /// How many records the measured side has taken.
  var applied: UInt64 { peers[1].counters.recordsApplied }

  init?() {
    guard let secret = Bytes32([UInt8](repeating: 7, count: 32)) else { return nil }
    let keys = [UInt8(1), 2].map { number in
      SodiumCryptography(
        identity: SigningKey(seed: [UInt8](repeating: number, count: 32)),
        clusterKey: SealingKey(secret))
    }
    self.keys = keys
    peers = []
    for index in keys.indices {
      // Planned for more than there are: nothing is founded, and nothing but records is at work.
      let configuration = PeerConfiguration(
        cluster: Self.cluster, clusterName: "bench", expect: 9, authority: keys[0].publicKey,
        name: "n\(index)", incarnation: Incarnation(counter: 1, boot: UInt64(index)),
        isFreshIdentity: true, address: Self.addresses[index],
        join: index == 0 ? [] : [Self.addresses[0]], usesMulticast: false, founds: false,
        software: "bench", seed: secret)
      guard
        let peer = try? Peer(
          configuration: configuration, durable: nil, cryptography: keys[index], at: now)
      else { return nil }
      peers.append(peer)
    }
    meet()
    guard peers.allSatisfy({ $0.view(at: now).members.count == 2 }) else { return nil }
  }

  private mutating func meet() {
    var mail: [(to: Int, Input)] = [(0, .start), (1, .start)]
    for _ in 0..<200 where !mail.isEmpty {
      now = now + .milliseconds(1)
      let waiting = mail
      mail = []
      for (index, input) in waiting { tell(index, input) { mail.append($0) } }
    }
  }

  /// Hands an input to a peer, and what it sends to whoever it is for.
  private mutating func tell(
    _ index: Int, _ input: Input, send: ((to: Int, Input)) -> Void
  ) {
    for effect in peers[index].handle(input, at: now) {
      switch effect {
      case .send(let bytes, let address):
        guard let other = Self.addresses.firstIndex(of: address) else { continue }
        send((other, .datagram(bytes, from: Self.addresses[index])))
      case .persist(_, let ticket): send((index, .persisted(ticket: ticket)))
      case .multicast, .event, .reply, .duty, .stop: break
      }
    }
  }

  // MARK: - What is received

  /// Sealed datagrams with one record each that the measured side has not seen.
  mutating func freshRecords(_ count: Int) -> [[UInt8]] {
    var made: [[UInt8]] = []
    while made.count < count {
      serial += 1
      var mail: [(to: Int, Input)] = [
        (0, .command(.setOwn(key: "bench", value: "value \(serial)"), ticket: UInt64(serial)))
      ]
      while let (index, input) = mail.popLast() {
        if index == 1 {
          if case .datagram(let bytes, _) = input { made.append(bytes) }
        } else {
          tell(index, input) { mail.append($0) }
        }
      }
    }
    return made
  }

  func replays(of datagrams: [[UInt8]], _ count: Int) -> [[UInt8]] {
    (0..<count).map { datagrams[$0 % datagrams.count] }
  }

  /// Datagrams of the size of a ping that show the right hint and a new counter: they fall at the
  /// seal, and not before it.
  func forged(_ count: Int, isPair: Bool) -> [[UInt8]] {
    let hint = isPair ? keys[0].nodeID(of: keys[0].publicKey).bytes.high : Self.cluster.bytes.high
    return (0..<count).map { number in
      var bytes: [UInt8] = [isPair ? 0x12 : 0x11]
      appendBigEndian(hint, to: &bytes)
      appendBigEndian(UInt64(number) &* 0x9e37_79b9_7f4a_7c15, to: &bytes)
      appendBigEndian(UInt64(number), to: &bytes)
      appendBigEndian(isPair ? 1 << 40 + UInt64(number) : 0, to: &bytes)
      bytes.append(contentsOf: [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 67))
      return bytes
    }
  }

  // MARK: - Measures, per second of processor time

  func verifyAlone(_ count: Int) -> Double {
    let message = [UInt8](repeating: 9, count: 120)
    let signature = keys[0].sign(message)
    var valid = 0
    let rate = Self.rate(count) {
      for _ in 0..<count where keys[1].isValid(signature, of: message, by: keys[0].publicKey) {
        valid += 1
      }
    }
    precondition(valid == count, "a good signature is good")
    return rate
  }

  /// - Parameter batch: how many the kernel hands over at once.
  mutating func receive(_ datagrams: [[UInt8]], taking batch: Int) -> Double {
    let waiting = stride(from: 0, to: datagrams.count, by: batch).map { start in
      datagrams[start..<min(start + batch, datagrams.count)].map {
        Datagram($0, from: Self.addresses[0])
      }
    }
    var sent = 0
    let rate = Self.rate(datagrams.count) {
      for some in waiting {
        now = now + TimeSpan(nanoseconds: 4_000 * Int64(some.count))
        sent += peers[1].handle(.datagrams(some, isMore: false), at: now).count
      }
    }
    // What is sent is part of the work; nobody answers here.
    precondition(sent >= 0)
    return rate
  }

  private static func rate(_ count: Int, _ work: () -> Void) -> Double {
    let began = ProcessUsage.read().processorNanoseconds
    work()
    let spent = max(1, ProcessUsage.read().processorNanoseconds - began)
    return Double(count) * 1e9 / Double(spent)
  }
}
