import MusterProtocol
import MusterState
import Testing

@testable import MusterAgent

@Suite struct DriverInboxTests {
  private func datagram(_ size: Int, _ mark: UInt16 = 0) -> Datagram {
    Datagram([UInt8](repeating: 1, count: size), from: Address(v4: 1, port: mark))
  }

  @Test func `what somebody waits for overtakes knowledge, and each keeps its order`() {
    var inbox = Inbox()
    #expect(!inbox.hasMore)
    inbox.add((0..<40).map { datagram($0 % 2 == 0 ? 1_200 : Inbox.shortBytes, $0) })
    #expect(inbox.takeUrgent().map(\.source.port) == (0..<20).map { $0 * 2 + 1 })
    #expect(inbox.takeUrgent().isEmpty)
    #expect(inbox.takeShare().map(\.source.port) == (0..<16).map { $0 * 2 })
    #expect(inbox.hasMore)
    #expect(inbox.takeShare().map(\.source.port) == [32, 34, 36, 38])
    #expect(!inbox.hasMore)
    #expect(inbox.takeShare().isEmpty)
  }

  @Test func `long ones have a limit, short ones still come through, and all is counted`() {
    var inbox = Inbox()
    let most = Limits.waitingDatagrams
    inbox.add((0..<UInt16(most + 5)).map { datagram(1_200, $0) })
    #expect(inbox.dropped == 5)
    inbox.add([datagram(10, 9)])
    #expect(inbox.takeUrgent().count == 1)
    // Many times round: what was taken makes room again, and nothing is given twice.
    var taken: [UInt16] = []
    var next = UInt16(most + 5)
    for _ in 0..<most {
      let share = inbox.takeShare().map(\.source.port)
      taken += share
      inbox.add(share.map { _ in datagram(1_200, next) })
      next += UInt16(share.count)
    }
    #expect(inbox.dropped == 5)
    #expect(taken.count == most * Inbox.share)
    #expect(taken.prefix(most).elementsEqual(0..<UInt16(most)))
  }

  @Test func `hundreds of members agree in a short datagram`() {
    // An answer with a whole agreement: the seal, the header, and a bit for each member.
    #expect(33 + 16 + 40 + 1_024 / 8 <= Inbox.shortBytes)
  }
}
