import CCurl
import Glibc

/// Brings the archive to disk, complete and with the ordered checksum: goes on where it stopped,
/// tries again with growing waits, starts over once when a resumed file is not the right one.
@safe final class ArchiveDownload: Transfer {
  private enum Outcome {
    case complete
    /// The server cannot go on in the middle.
    case cannotResume
    case interrupted(FetchFailure)
  }

  private let request: FetchRequest
  /// The mirror in use.
  private var url = ""
  private var file: ArchiveFile
  private let errorText: UnsafeMutablePointer<CChar>
  /// Bytes that were there when the current attempt began.
  private var resumedFrom: UInt64 = 0
  /// What went wrong inside a callback; curl itself only learns that something did.
  private var failure: FetchFailure?
  private var progress = Progress()
  private var hasRoom = false

  init(_ request: FetchRequest) throws(FetchFailure) {
    self.request = request
    file = try ArchiveFile(request.archive, limit: request.maxBytes)
    unsafe errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
    unsafe errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    try super.init()
  }

  deinit {
    // The handle is given up after this, and curl writes its reasons while it works.
    unsafe muster_curl_set_error_buffer(handle, nil)
    unsafe errorText.deallocate()
  }

  /// - Returns: the URL that brought the end of it.
  func run() throws(FetchFailure) -> String {
    for next in request.urls.dropLast() {
      do throws(FetchFailure) {
        return try bring(from: next, attempts: FetchLimits.attemptsBeforeMirror)
      } catch {
        guard [.network, .refused, .checksum].contains(error.kind) else { throw error }
        if error.kind == .checksum { try file.empty() }
        Report.line("retrying 0 \(error.message); trying a mirror")
      }
    }
    do throws(FetchFailure) {
      return try bring(from: request.urls[request.urls.count - 1], attempts: request.attempts)
    } catch {
      if error.kind == .checksum { file.remove() }
      throw error
    }
  }

  private func bring(from url: String, attempts: Int) throws(FetchFailure) -> String {
    self.url = url
    try configure()
    var best = file.size
    var mayBeStale = file.size > 0
    var fruitless = 0
    for attempt in 1...FetchLimits.attempts {
      switch try fetchRest() {
      case .complete:
        if file.digest == request.checksum {
          progress.report(file.size, of: file.size)
          return url
        }
        guard mayBeStale else { throw wrongChecksum() }
        // The beginning may be of another file than the end: one whole download decides.
        mayBeStale = false
        try file.empty()
      case .cannotResume:
        mayBeStale = false
        try file.empty()
      case .interrupted(let failure):
        fruitless = file.size > best ? 1 : fruitless + 1
        best = max(best, file.size)
        mayBeStale = file.size > 0
        if fruitless >= min(attempts, request.attempts) || attempt == FetchLimits.attempts {
          throw failure
        }
        waitBeforeRetry(fruitless, failure)
      }
    }
    throw FetchFailure(
      .network, "\(shownURL): given up after \(FetchLimits.attempts) attempts")
  }

  private var shownURL: String { FetchRequest.withoutPassword(url) }

  // MARK: One attempt

  private func fetchRest() throws(FetchFailure) -> Outcome {
    resumedFrom = file.size
    failure = nil
    unsafe errorText[0] = 0
    unsafe muster_curl_set_size(handle, CURLOPT_RESUME_FROM_LARGE, curl_off_t(file.size))
    unsafe muster_curl_set_size(
      handle, CURLOPT_MAXFILESIZE_LARGE, max(1, curl_off_t(request.maxBytes - file.size)))
    let code = unsafe curl_easy_perform(handle)
    if let failure { throw failure }
    return try outcome(of: code)
  }

  private func outcome(of code: CURLcode) throws(FetchFailure) -> Outcome {
    let status = unsafe muster_curl_status(handle)
    switch code {
    case CURLE_OK:
      return .complete
    case CURLE_RANGE_ERROR, CURLE_BAD_DOWNLOAD_RESUME, CURLE_FTP_COULDNT_USE_REST:
      return .cannotResume
    case CURLE_HTTP_RETURNED_ERROR:
      let failure = FetchFailure(.refused, "\(shownURL): the server answers \(status)")
      if [408, 425, 429, 500, 502, 503, 504].contains(status) { return .interrupted(failure) }
      throw failure
    case CURLE_FILESIZE_EXCEEDED:
      throw tooLarge()
    case CURLE_UNSUPPORTED_PROTOCOL, CURLE_URL_MALFORMAT, CURLE_TOO_MANY_REDIRECTS,
      CURLE_FILE_COULDNT_READ_FILE, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE,
      CURLE_REMOTE_FILE_NOT_FOUND:
      throw FetchFailure(.refused, "\(shownURL): \(reason(code))")
    default:
      return .interrupted(FetchFailure(.network, "\(shownURL): \(reason(code))"))
    }
  }

  private func reason(_ code: CURLcode) -> String {
    let detail = unsafe String(cString: errorText)
    let reason = detail.isEmpty ? unsafe String(cString: curl_easy_strerror(code)) : detail
    return reason + WebOptions.advice(for: code)
  }

  private func wrongChecksum() -> FetchFailure {
    FetchFailure(
      .checksum,
      "\(shownURL) has SHA-256 \(hexadecimal(file.digest)), but "
        + "\(hexadecimal(request.checksum)) was ordered: correct the digest or the source")
  }

  private func tooLarge() -> FetchFailure {
    FetchFailure(
      .limit, "\(shownURL) is larger than the \(request.maxBytes) bytes allowed")
  }

  private func waitBeforeRetry(_ fruitless: Int, _ failure: FetchFailure) {
    var wait = FetchLimits.firstBackoff
    for _ in 1..<fruitless { wait = min(wait * 2, FetchLimits.longestBackoff) }
    Report.line("retrying \(wait) \(failure.message)")
    usleep(UInt32(wait * 1_000_000))
  }

  // MARK: curl

  private func configure() throws(FetchFailure) {
    unsafe muster_curl_set_error_buffer(handle, errorText)
    for (option, text) in WebOptions.texts(for: url) {
      let code = unsafe muster_curl_set_text(handle, option, text)
      guard code == CURLE_OK else { throw FetchFailure(.refused, reason(code)) }
    }
    set(
      WebOptions.numbers + [
        (CURLOPT_LOW_SPEED_LIMIT, FetchLimits.stallBytesPerSecond),
        (CURLOPT_LOW_SPEED_TIME, request.stallSeconds),
      ])
    let context = unsafe Unmanaged.passUnretained(self).toOpaque()
    unsafe muster_curl_set_progress(
      handle,
      { context, total, _, _, _ in
        guard let context = unsafe context else { return 0 }
        let download = unsafe Unmanaged<ArchiveDownload>.fromOpaque(context)
          .takeUnretainedValue()
        return download.noteProgress(expected: total) ? 0 : 1
      }, context)
  }

  override func receive(_ bytes: UnsafeRawBufferPointer) -> Int {
    // The file is complete already, and this is the page that says so.
    if unsafe muster_curl_status(handle) == 416 { return bytes.count }
    guard UInt64(bytes.count) <= request.maxBytes - file.size else {
      failure = tooLarge()
      return 0
    }
    do throws(FetchFailure) {
      unsafe try file.append(bytes)
      return bytes.count
    } catch {
      failure = error
      return 0
    }
  }

  /// - Returns: whether to go on: the room is looked at as soon as the size is known.
  private func noteProgress(expected: curl_off_t) -> Bool {
    guard expected > 0 else {
      progress.report(file.size, of: nil)
      return true
    }
    if !hasRoom {
      do throws(FetchFailure) {
        try Space.check(request, archiveBytes: UInt64(expected))
        hasRoom = true
      } catch {
        failure = error
        return false
      }
    }
    progress.report(file.size, of: resumedFrom + UInt64(expected))
    return true
  }
}
