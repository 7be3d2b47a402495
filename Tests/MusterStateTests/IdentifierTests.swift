import MusterState
import Testing

@Suite struct IdentifierTests {
  @Test(arguments: [
    ("127.0.0.1:1", "127.0.0.1:1"), ("192.0.2.255:65535", "192.0.2.255:65535"),
    ("[::1]:7946", "[::1]:7946"), ("[::]:1", "[::]:1"),
    ("[2001:db8:0:0:1:0:0:1]:7", "[2001:db8::1:0:0:1]:7"),
    ("[2001:db8:0:1:1:1:1:1]:7", "[2001:db8:0:1:1:1:1:1]:7"),
    ("[2001:DB8::A]:7", "[2001:db8::a]:7"), ("[fe80:0:0:0:0:0:0:0]:7", "[fe80::]:7"),
    ("[1:0:0:2:0:0:0:3]:7", "[1:0:0:2::3]:7"), ("[1:2:3:4:5:6:7:8]:7", "[1:2:3:4:5:6:7:8]:7"),
  ])
  func `addresses are read and printed as RFC 5952 asks`(text: String, printed: String) throws {
    let address = try #require(Address(text))
    #expect(address.description == printed)
    #expect(Address(printed) == address)
  }

  @Test(arguments: [
    "", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0:1",
    "127.0.0.1.1:1", "256.0.0.1:1", "1.2.3.+4:1", "0001.2.3.4:1", "host:1", "::1:7946",
    "[::1]", "[::1:7", "[1::2::3]:7", "[12345::]:7", "[1:2:3:4:5:6:7:8:9]:7",
    "[1:2:3:4:5:6:7]:7", "[:::]:7", "[1:2:3:4:5:6:7:8::]:7", "[g::]:7", "[]:7",
    "[::1%eth0]:7", "[1:]:7", "[:1]:7",
  ])
  func `what is no address is refused`(text: String) {
    #expect(Address(text) == nil)
  }

  @Test(arguments: [
    ("239.1.2.3:1", true), ("224.0.0.0:1", true), ("223.255.255.255:1", false),
    ("240.0.0.1:1", false), ("[ff02::1]:1", true), ("[fe80::1]:1", false),
  ])
  func `multicast groups are known`(text: String, isMulticast: Bool) throws {
    #expect(try #require(Address(text)).isMulticast == isMulticast)
  }

  @Test func `bytes in hexadecimal come back`() {
    let all = (0...255).map { UInt8($0) }
    #expect(hexadecimal([0, 0x0f, 0xa5, 0xff]) == "000fa5ff")
    #expect(bytes(hexadecimal: hexadecimal(all)) == all)
    #expect(bytes(hexadecimal: "aAfF09") == [0xaa, 0xff, 0x09])
    #expect(bytes(hexadecimal: "") == [])
    for text in ["0", "0g", "0x", " 00", "é0"] { #expect(bytes(hexadecimal: text) == nil) }
  }

  @Test func `an identifier is thirty-two digits, and sorts by them`() throws {
    let text = "0123456789abcdef0011223344556677"
    let node = try #require(NodeID(text))
    #expect(node.description == text)
    #expect(node.short == "01234567")
    #expect(NodeID(String(text.dropLast(2))) == nil)
    #expect(NodeID(text + "00") == nil)
    let next = try #require(NodeID("0123456789abcdef0011223344556678"))
    let high = try #require(NodeID("1" + String(repeating: "0", count: 31)))
    #expect([high, next, node].sorted() == [node, next, high])
    #expect(
      [high, next, node].map(\.description).sorted() == [node, next, high].map(\.description))
  }

  @Test func `digests, keys and signatures have one length only`() {
    for count in [0, 31, 33, 63, 65] {
      #expect(Bytes32([UInt8](repeating: 1, count: count)) == nil)
      #expect(Signature([UInt8](repeating: 1, count: count)) == nil)
    }
    let bytes = (1...64).map { UInt8($0) }
    #expect(Signature(bytes)?.bytes == bytes)
    #expect(Bytes32(bytes.prefix(32))?.bytes == Array(bytes.prefix(32)))
    #expect(Bytes16(bytes.suffix(16))?.bytes == Array(bytes.suffix(16)))
  }

  @Test(arguments: [
    ("1.0", true), ("2.1.0-rc.1+b_7", true), ("", false), ("-1", false),
    (".x", false), ("a/b", false), ("..", false), ("a b", false),
  ])
  func `a version is fit for a directory's name`(text: String, isFit: Bool) {
    #expect(isVersion(text) == isFit)
  }

  @Test func `a node's forgetting is signed for one cluster and one node`() {
    let cluster = ClusterID(Bytes16(high: 1, low: 2))
    let node = NodeID(Bytes16(high: 3, low: 4))
    let message = forgetMessage(cluster: cluster, node: node)
    #expect(
      message
        == Array("muster forget v1".utf8) + [0] + cluster.bytes.bytes + node.bytes.bytes)
  }
}
