import MusterState
import MusterSystem

/// Where a probe goes, read from its text.
package enum ProbeTarget: Hashable, Sendable {
  case tcp(Address)
  case http(Address, host: String, path: String)

  package struct Mistake: Error, Hashable, Sendable {
    package let text: String
  }

  /// Reads `192.0.2.1:80`, `[2001:db8::1]:80` or `localhost:80`.
  package static func tcp(text: String) -> Result<ProbeTarget, Mistake> {
    if let address = address(text) { return .success(.tcp(address)) }
    return .failure(
      Mistake(text: "'\(text)' is no target of a TCP probe; write ADDRESS:PORT, without names"))
  }

  /// Reads `http://192.0.2.1:80/health`; without a port it is 80.
  package static func http(text: String) -> Result<ProbeTarget, Mistake> {
    let wrong = Mistake(
      text: "'\(text)' is no target of an HTTP probe; write http://ADDRESS:PORT/PATH, without "
        + "names (for https use an exec probe)")
    guard text.hasPrefix("http://") else { return .failure(wrong) }
    let rest = text.dropFirst(7)
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    let host = String(rest[..<slash])
    let path = slash == rest.endIndex ? "/" : String(rest[slash...])
    guard path.utf8.allSatisfy({ (0x21...0x7e).contains($0) }), path.utf8.count <= 1_024,
      let address = address(host) ?? address("\(host):80")
    else { return .failure(wrong) }
    return .success(.http(address, host: host, path: path))
  }

  /// Only addresses: looking up a name would hold up the event loop.
  private static func address(_ text: String) -> Address? {
    if text.hasPrefix("localhost:") { return Address("127.0.0.1:\(text.dropFirst(10))") }
    guard let address = Address(text), address.port != 0 else { return nil }
    return address
  }
}
