import CCurl

/// A handle of curl's, and where the bytes go that it brings.
@safe class Transfer {
  let handle: UnsafeMutableRawPointer

  init() throws(FetchFailure) {
    guard let handle = unsafe curl_easy_init() else {
      throw FetchFailure(.network, "curl cannot start: out of memory")
    }
    unsafe self.handle = handle
    let context = unsafe Unmanaged.passUnretained(self).toOpaque()
    unsafe muster_curl_set_receiver(
      handle,
      { bytes, size, count, context in
        guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
        let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
        return unsafe transfer.receive(UnsafeRawBufferPointer(start: bytes, count: size * count))
      }, context)
  }

  deinit { unsafe curl_easy_cleanup(handle) }

  func set(_ numbers: [(CURLoption, Int)]) {
    for (option, number) in numbers { unsafe muster_curl_set_number(handle, option, number) }
  }

  /// - Returns: how many bytes were taken; fewer than given ends the transfer.
  func receive(_ bytes: UnsafeRawBufferPointer) -> Int {
    preconditionFailure("whoever transfers takes what comes")
  }
}
