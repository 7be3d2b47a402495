import CCurl

/// Gets one thing after the other over a connection to a peer, for as long as it holds. A peer is
/// asked straight, whatever proxy the rest of the world is reached through, and sends nobody on.
@safe final class PeerTransfer: Transfer {
  private var limit: UInt64 = 0
  private var received: UInt64 = 0
  private var take: ((UnsafeRawBufferPointer) -> Void)?

  override init() throws(FetchFailure) {
    try super.init()
    for (option, text) in [
      (CURLOPT_PROTOCOLS_STR, "http"), (CURLOPT_PROXY, ""), (CURLOPT_NOPROXY, "*"),
      (CURLOPT_USERAGENT, "muster-fetch"),
    ] {
      unsafe muster_curl_set_text(handle, option, text)
    }
    set([
      (CURLOPT_NOSIGNAL, 1), (CURLOPT_FAILONERROR, 1), (CURLOPT_FOLLOWLOCATION, 0),
      (CURLOPT_CONNECTTIMEOUT, FetchLimits.peerConnectSeconds),
      (CURLOPT_LOW_SPEED_LIMIT, FetchLimits.peerStallBytesPerSecond),
      (CURLOPT_LOW_SPEED_TIME, FetchLimits.peerStallSeconds),
    ])
  }

  /// - Throws: `busy`, `refused`, `network`, or `checksum` when there is more than `limit`.
  func get(
    _ url: String, limit: UInt64, _ take: @escaping (UnsafeRawBufferPointer) -> Void
  ) throws(FetchFailure) {
    self.limit = limit
    received = 0
    unsafe self.take = unsafe take
    defer { unsafe self.take = nil }
    unsafe muster_curl_set_text(handle, CURLOPT_URL, url)
    let code = unsafe curl_easy_perform(handle)
    guard code != CURLE_OK else { return }
    if received > limit {
      throw FetchFailure(.checksum, "\(url) has more than the \(limit) bytes that it should have")
    }
    let status = unsafe muster_curl_status(handle)
    if code == CURLE_HTTP_RETURNED_ERROR {
      throw FetchFailure(status == 503 ? .busy : .refused, "\(url): the peer answers \(status)")
    }
    throw FetchFailure(.network, "\(url): \(unsafe String(cString: curl_easy_strerror(code)))")
  }

  override func receive(_ bytes: UnsafeRawBufferPointer) -> Int {
    received += UInt64(bytes.count)
    guard received <= limit else { return 0 }
    unsafe take?(bytes)
    return bytes.count
  }
}
