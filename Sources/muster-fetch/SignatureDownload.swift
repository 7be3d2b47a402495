import CCurl

/// Brings one small file into memory.
@safe final class SignatureDownload {
  private let url: String
  private let handle: UnsafeMutableRawPointer
  private var content: [UInt8] = []

  init(_ url: String) throws(FetchFailure) {
    self.url = url
    guard let handle = unsafe curl_easy_init() else {
      throw FetchFailure(.network, "curl cannot start: out of memory")
    }
    unsafe self.handle = handle
  }

  deinit { unsafe curl_easy_cleanup(handle) }

  func run() throws(FetchFailure) -> [UInt8] {
    let isSecure = url.lowercased().hasPrefix("https:")
    for (option, text) in [
      (CURLOPT_URL, url), (CURLOPT_PROTOCOLS_STR, "http,https,file"),
      (CURLOPT_REDIR_PROTOCOLS_STR, isSecure ? "https" : "http,https"),
      (CURLOPT_USERAGENT, "muster-fetch"),
    ] {
      unsafe muster_curl_set_text(handle, option, text)
    }
    for (option, number) in [
      (CURLOPT_NOSIGNAL, 1), (CURLOPT_FAILONERROR, 1), (CURLOPT_FOLLOWLOCATION, 1),
      (CURLOPT_MAXREDIRS, FetchLimits.redirects),
      (CURLOPT_CONNECTTIMEOUT, FetchLimits.connectSeconds),
      (CURLOPT_TIMEOUT, FetchLimits.stallSeconds),
    ] {
      unsafe muster_curl_set_number(handle, option, number)
    }
    let context = unsafe Unmanaged.passUnretained(self).toOpaque()
    unsafe muster_curl_set_receiver(
      handle,
      { bytes, size, count, context in
        guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
        let download = unsafe Unmanaged<SignatureDownload>.fromOpaque(context)
          .takeUnretainedValue()
        guard download.content.count + size * count <= FetchLimits.signatureBytes else { return 0 }
        unsafe download.content.append(
          contentsOf: UnsafeRawBufferPointer(start: bytes, count: size * count))
        return size * count
      }, context)
    let code = unsafe curl_easy_perform(handle)
    guard code == CURLE_OK else {
      let reason = unsafe String(cString: curl_easy_strerror(code))
      throw FetchFailure(
        .signature, "\(FetchRequest.withoutPassword(url)) cannot be had: \(reason)")
    }
    return content
  }
}
