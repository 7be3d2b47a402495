import CCurl

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
    ]
  }

  static let numbers = [
    (CURLOPT_NOSIGNAL, 1), (CURLOPT_FAILONERROR, 1), (CURLOPT_FOLLOWLOCATION, 1),
    (CURLOPT_MAXREDIRS, FetchLimits.redirects),
    (CURLOPT_CONNECTTIMEOUT, FetchLimits.connectSeconds),
  ]
}
