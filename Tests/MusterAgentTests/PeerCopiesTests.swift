import MusterAgent
import MusterProtocol
import MusterState
import Testing

@Suite struct PeerCopiesTests {
  private let wanted = ReleaseReference(version: "2.0", manifest: Digest(.zero), repair: 0)

  private func view(_ offers: [ReleaseOffer?]) -> ClusterView {
    var view = Sample.view()
    for (index, offer) in offers.enumerated() { view.members[index].offer = offer }
    return view
  }

  @Test func `peers are asked at their own host, at the port that they say`() {
    let view = view([nil, ReleaseOffer(port: 81, of: [wanted]), ReleaseOffer(port: 82)])
    let copies = PeerCopies(of: wanted, in: view)
    #expect(copies.holders == [Address(host: view.members[1].address.host, port: 81)])
    #expect(copies.isAwaited)
  }

  @Test func `the dead have nothing, and are not waited for`() {
    var view = view([nil, ReleaseOffer(port: 81, of: [wanted]), ReleaseOffer(port: 82)])
    view.members[1].state = .dead
    view.members[2].state = .suspect
    let copies = PeerCopies(of: wanted, in: view)
    #expect(copies.holders.isEmpty && !copies.isAwaited && copies.goesFirst)
  }

  @Test func `of those who lack it one asks the source first`() {
    var view = view([ReleaseOffer(port: 80), ReleaseOffer(port: 81), ReleaseOffer(port: 82)])
    let first = view.members.prefix(3).map(\.id).min()
    for member in view.members.prefix(3) {
      view.node = member.id
      let copies = PeerCopies(of: wanted, in: view)
      #expect(copies.isAwaited && copies.goesFirst == (member.id == first))
    }
  }

  @Test func `an offer names the newest, each once`() {
    let many = (0..<12).map { number in
      ReleaseReference(
        version: "1.\(number)",
        manifest: Digest(
          Bytes32(first: Bytes16(high: UInt64(number / 2), low: 0), second: .zero)), repair: 0)
    }
    let offer = ReleaseOffer(port: 1, of: many)
    #expect(offer.manifests == [5, 4, 3, 2, 1, 0])
    #expect(offer.holds(many[11]) && offer.holds(many[0]))
    #expect(!ReleaseOffer(port: 1).holds(wanted))
  }
}
