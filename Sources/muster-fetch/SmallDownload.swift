import CCurl

/// Brings one small file into memory.
@safe final class SmallDownload: Transfer {
  private let url: String
  private let limit: Int
  private let kind: FetchFailure.Kind
  private var content: [UInt8] = []
  private var isTooLarge = false

  /// - Parameters:
  ///   - limit: bytes; what is larger fails.
  ///   - kind: of the failure when it cannot be had.
  init(_ url: String, limit: Int, kind: FetchFailure.Kind) throws(FetchFailure) {
    self.url = url
    self.limit = limit
    self.kind = kind
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
        kind,
        "\(FetchRequest.withoutPassword(url)) cannot be had: "
          + (isTooLarge
            ? "it is larger than \(limit) bytes" : reason + WebOptions.advice(for: code)))
    }
    return content
  }
  override func receive(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard content.count + bytes.count <= limit else {
      isTooLarge = true
      return 0
    }
    unsafe content.append(contentsOf: bytes)
    return bytes.count
  }
}
