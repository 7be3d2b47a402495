import CCurl

/// Brings one small file into memory.
@safe final class SignatureDownload: Transfer {
  private let url: String
  private var content: [UInt8] = []

  init(_ url: String) throws(FetchFailure) {
    self.url = url
    try super.init()
  }

  func run() throws(FetchFailure) -> [UInt8] {
    for (option, text) in WebOptions.texts(for: url) {
      unsafe muster_curl_set_text(handle, option, text)
    }
    set(WebOptions.numbers + [(CURLOPT_TIMEOUT, FetchLimits.stallSeconds)])
    let code = unsafe curl_easy_perform(handle)
    guard code == CURLE_OK else {
      let reason = unsafe String(cString: curl_easy_strerror(code))
      throw FetchFailure(
        .signature, "\(FetchRequest.withoutPassword(url)) cannot be had: \(reason)")
    }
    return content
  }
  override func receive(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard content.count + bytes.count <= FetchLimits.signatureBytes else { return 0 }
    unsafe content.append(contentsOf: bytes)
    return bytes.count
  }
}
