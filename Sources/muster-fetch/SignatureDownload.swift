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
    for (option, text) in WebOptions.texts(for: url) {
      unsafe muster_curl_set_text(handle, option, text)
    }
    for (option, number) in WebOptions.numbers + [
      (CURLOPT_TIMEOUT, FetchLimits.stallSeconds)
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
