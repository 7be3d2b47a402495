import CCurl
import Glibc

/// What every transfer asks of curl, of an archive as of a signature: which protocols it may speak,
/// where it may be sent on to, and how long it waits for a connection.
enum WebOptions {
  static func texts(for url: String) -> [(CURLoption, String)] {
    // Never from the web to a local file, never from https to clear text.
    let isSecure = url.lowercased().hasPrefix("https:")
    return [
      (CURLOPT_URL, url), (CURLOPT_PROTOCOLS_STR, "http,https,file"),
      (CURLOPT_REDIR_PROTOCOLS_STR, isSecure ? "https" : "http,https"),
      (CURLOPT_USERAGENT, "muster-fetch"),
    ] + authorities
  }

  /// The program `curl` knows these variables, and its library does not.
  private static var authorities: [(CURLoption, String)] {
    [(CURLOPT_CAINFO, "SSL_CERT_FILE"), (CURLOPT_CAPATH, "SSL_CERT_DIR")].compactMap {
      guard let value = unsafe getenv($0.1) else { return nil }
      let text = unsafe String(cString: value)
      return text.isEmpty ? nil : ($0.0, text)
    }
  }

  /// What an operator can do about a certificate that is not taken; empty for other failures.
  static func advice(for code: CURLcode) -> String {
    switch code {
    case CURLE_PEER_FAILED_VERIFICATION:
      "; if its authority is one of your own, name the file with its certificate in SSL_CERT_FILE "
        + "in the agent's environment"
    case CURLE_SSL_CACERT_BADFILE:
      "; SSL_CERT_FILE and SSL_CERT_DIR in the agent's environment name the authorities that are "
        + "trusted"
    default: ""
    }
  }

  static let numbers = [
    (CURLOPT_NOSIGNAL, 1), (CURLOPT_FAILONERROR, 1), (CURLOPT_FOLLOWLOCATION, 1),
    (CURLOPT_MAXREDIRS, FetchLimits.redirects),
    (CURLOPT_CONNECTTIMEOUT, FetchLimits.connectSeconds),
  ]
}
