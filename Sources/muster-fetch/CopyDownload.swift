import CCurl
import Glibc

/// Copies a published release file by file from peers, none of which is trusted: what one of them
/// hands out wrong, too slowly or not at all is asked of the next, and that one is not asked again.
@safe final class CopyDownload {
  private struct Peer {
    var url: String
    /// Why it is not asked again.
    var failure: FetchFailure?
    var isBusy = false
  }

  private let request: CopyRequest
  private var peers: [Peer]
  /// The peer that is asked: the same one for as long as it answers well.
  private var current = 0
  private let transfer: PeerTransfer
  private var contents = Unpacking.Contents()
  private var progress = Progress()
  private var total: UInt64 = 0
  private var busySince: Double?

  init(_ request: CopyRequest) throws(FetchFailure) {
    self.request = request
    peers = request.peers.map { Peer(url: $0) }
    transfer = try PeerTransfer()
  }

  func run() throws(FetchFailure) -> Unpacking.Contents {
    let list = try CopyList(try manifest())
    total = list.bytes
    let tree = try UnpackedTree(request.directory)
    try Space.check(list.bytes, in: request.directory)
    for directory in list.directories { try tree.makeDirectory(directory) }
    for file in list.files { try copy(file, into: tree) }
    for link in list.links {
      try tree.makeLink(link.path, to: link.target)
      contents.files += 1
    }
    return contents
  }

  private func manifest() throws(FetchFailure) -> ArraySlice<UInt8> {
    var content: ArraySlice<UInt8> = []
    try ask("manifest", patience: FetchLimits.busyPatienceAtFirst) { url throws(FetchFailure) in
      var text: [UInt8] = []
      try unsafe self.transfer.get(url, limit: UInt64(FetchLimits.manifestBytes)) { bytes in
        unsafe text.append(contentsOf: bytes)
      }
      content = CopyList.content(of: text)
      var checksum = Checksum()
      unsafe Array(content).withUnsafeBytes { unsafe checksum.add($0) }
      guard checksum.value == self.request.manifest else {
        throw FetchFailure(.checksum, "\(url) is not the manifest that was ordered")
      }
    }
    return content
  }

  private func copy(
    _ file: CopyList.File, into tree: borrowing UnpackedTree
  ) throws(FetchFailure) {
    let descriptor = try tree.makeFile(file.path, isProgram: file.isProgram)
    defer { close(descriptor) }
    let before = contents.bytes
    try ask("file/\(hexadecimal(file.digest))", patience: FetchLimits.busyPatience) {
      url throws(FetchFailure) in
      // What another peer has sent before this one may be wrong from its first byte.
      guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
        throw .system("truncate", file.path.text)
      }
      var checksum = Checksum()
      var size: UInt64 = 0
      var problem: FetchFailure?
      try unsafe self.transfer.get(url, limit: file.size) { bytes in
        guard problem == nil else { return }
        do throws(FetchFailure) {
          try unsafe Self.write(bytes, to: descriptor, file.path.text)
        } catch {
          problem = error
        }
        unsafe checksum.add(bytes)
        size += UInt64(bytes.count)
        self.progress.report(before + size, of: self.total)
      }
      if let problem { throw problem }
      guard size == file.size, checksum.value == file.digest else {
        throw FetchFailure(
          .checksum,
          "\(url) has \(size) bytes with SHA-256 \(hexadecimal(checksum.value)), not \(file.size)")
      }
    }
    contents.bytes = before + file.size
    contents.files += 1
  }

  private static func write(
    _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, _ path: String
  ) throws(FetchFailure) {
    var rest = unsafe bytes
    while unsafe !rest.isEmpty {
      let count = unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw .system("write", path)
      }
      unsafe rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }

  // MARK: Peers

  /// Asks the peers in turn until one of them has given what is wanted.
  private func ask(
    _ what: String, patience: Double, _ get: (String) throws(FetchFailure) -> Void
  ) throws(FetchFailure) {
    while true {
      do throws(FetchFailure) {
        try get("\(peers[current].url)/\(what)")
        busySince = nil
        for index in peers.indices { peers[index].isBusy = false }
        return
      } catch {
        switch error.kind {
        case .busy: peers[current].isBusy = true
        case .network, .refused, .checksum: giveUp(error)
        case .usage, .signature, .space, .limit, .archive, .unsafe, .disk: throw error
        }
        try chooseNext(after: error, patience: patience)
      }
    }
  }

  private func giveUp(_ failure: FetchFailure) {
    peers[current].failure = failure
    Report.line("peer \(current) \(failure.message)")
  }

  private func chooseNext(
    after failure: FetchFailure, patience: Double
  ) throws(FetchFailure) {
    let others = peers.indices.map { (current + 1 + $0) % peers.count }
    if let next = others.first(where: { peers[$0].failure == nil && !peers[$0].isBusy }) {
      current = next
      return
    }
    guard let next = others.first(where: { peers[$0].failure == nil }) else { throw failure }
    let since = busySince ?? Progress.seconds
    busySince = since
    guard Progress.seconds - since < patience else {
      throw FetchFailure(.busy, "whoever has the release hands it on to others just now")
    }
    usleep(UInt32(FetchLimits.busyPause * 1_000_000))
    for index in peers.indices { peers[index].isBusy = false }
    current = next
  }
}
