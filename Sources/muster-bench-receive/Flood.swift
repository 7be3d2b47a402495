import MusterAgent
import MusterState
import MusterSystem

/// Forged datagrams at a steady pace, from one socket to one agent.
struct Flood {
  private let source: Address
  private let target: Address
  private let perSecond: Int64
  private let seconds: Int64
  private let hints: [UInt64]

  init?(_ words: ArraySlice<String>) {
    let words = Array(words)
    guard words.count >= 5, let source = Address(words[0]), let target = Address(words[1]),
      let perSecond = Int64(words[2]), let seconds = Int64(words[3]), perSecond > 0, seconds > 0
    else { return nil }
    let hints = words[4...].compactMap { UInt64($0.prefix(16), radix: 16) }
    guard hints.count == words.count - 4 else { return nil }
    (self.source, self.target, self.perSecond) = (source, target, perSecond)
    (self.seconds, self.hints) = (seconds, hints)
  }

  /// Prints how many datagrams the kernel took.
  func run() -> Int32 {
    do throws(SystemError) {
      let socket = try DatagramSocket.bound(to: source.socketAddress)
      let began = MonotonicClock.nanoseconds
      var (due, sent): (Int64, Int64) = (0, 0)
      while true {
        let elapsed = MonotonicClock.nanoseconds - began
        guard elapsed < seconds * 1_000_000_000 else { break }
        // What a busy machine kept from being sent in time is not sent later in a burst.
        due = max(due, elapsed * perSecond / 1_000_000_000 - 1_000)
        while due < elapsed * perSecond / 1_000_000_000 {
          let waiting = (0..<64).map { (bytes: forged(due + $0), to: target.socketAddress) }
          due += 64
          sent += Int64(try socket.send(waiting[...]))
        }
        MonotonicClock.sleep(nanoseconds: 200_000)
      }
      print(sent)
      return 0
    } catch {
      print("cannot flood: \(error)")
      return 1
    }
  }

  private func forged(_ number: Int64) -> [UInt8] {
    var bytes: [UInt8] = [0x12]
    appendBigEndian(hints[Int(number) % hints.count], to: &bytes)
    appendBigEndian(UInt64(number) &* 0x9e37_79b9_7f4a_7c15, to: &bytes)
    appendBigEndian(UInt64(number), to: &bytes)
    appendBigEndian(1 << 40 + UInt64(number), to: &bytes)
    bytes.append(contentsOf: [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 67))
    return bytes
  }
}
