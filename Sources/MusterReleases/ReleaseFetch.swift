import MusterState
import MusterSystem

extension ReleaseStore {
  /// The largest archive and tree that are fetched, however much room there is.
  static let archiveBytes: UInt64 = 4 << 30
  static let unpackedBytes: UInt64 = 16 << 30

  /// Brings a release onto the shared filesystem, once: what is published already is verified and
  /// returned, and nothing is downloaded.
  ///
  /// Works in a private stage and makes the release visible with one rename. When another leader
  /// was faster, its copy is verified and taken. What an earlier attempt of this node left behind
  /// is removed first; two fetches of one node must not run at the same time.
  ///
  /// - Parameters:
  ///   - fetchProgram: the path of `muster-fetch`.
  ///   - home: the filesystem on which the directory was usable: nothing is published on the
  ///     disk beneath it.
  ///   - peers: who has the very copy that is to come of it, so that the source is not asked.
  ///   - sign: this node's signature over `Manifest.signedMessage`.
  ///   - progress: called on this thread, about five times a second.
  ///   - notice: called on this thread with a line for people, such as why it tries again.
  /// - Throws: after any error nothing partial is visible and the stage is removed.
  package func fetch(
    order: FetchOrder, cluster: ClusterID, node: NodeID, fetchProgram: String,
    home: StoreVolume.Identity? = nil, peers: CopySource? = nil,
    sign: ([UInt8]) -> Signature,
    progress: (FetchProgress) -> Void = { _ in }, notice: (String) -> Void = { _ in },
    cancellation: Cancellation = Cancellation()
  ) throws(StoreError) -> ReleaseReference {
    guard isVersion(order.release.version) else {
      throw .refused(
        "\"\(order.release.version)\" cannot be a version: use letters, digits and . _ + -, at "
          + "most 64, and begin with a letter or digit")
    }
    if let home, try volume().identity.isBeneath(home) {
      throw .storage(
        .lost("the \(home.type) filesystem that was mounted there is gone"), shared: shared)
    }
    let releases = try openReleases(creating: true)
    let stage = StoreName.stage(cluster: cluster, term: order.term, node: node)
    let partial =
      peers == nil
      ? try partialArchive(order, cluster: cluster, node: node, in: releases) : nil
    if let published = try published(order, in: releases, cancellation) {
      try removeOwnStages(cluster: cluster, node: node, in: releases)
      return published
    }
    try take(partial, of: order, into: stage, in: releases)
    try removeOwnStages(cluster: cluster, node: node, except: stage, in: releases)
    let attempt = FetchAttempt(
      store: self, order: order, cluster: cluster, node: node, program: fetchProgram,
      peers: peers, stage: stage, cancellation: cancellation)
    do throws(StoreError) {
      return try attempt.run(in: releases, sign: sign, progress: progress, notice: notice)
    } catch {
      // What came so far is worth going on with; anything else of the stage is not.
      if case .fetch(let problem, _) = error, problem == .network || problem == .program,
        (try? releases.directory(stage).status(FetchAttempt.archiveName(order))) != nil
      {
        throw error
      }
      try? releases.removeTree(attempt.stage)
      throw error
    }
  }

  /// Where an earlier attempt of this node left a part of the same archive, below `releases/`.
  private func partialArchive(
    _ order: FetchOrder, cluster: ClusterID, node: NodeID, in releases: borrowing StoreDirectory
  ) throws(StoreError) -> String? {
    let archive = FetchAttempt.archiveName(order)
    for name in try storing({ () throws(SystemError) in try releases.names(limit: Self.names) }) {
      guard case .stage(StoreName.short(cluster.description), _, node.short) = StoreName(name)
      else { continue }
      let status = try? releases.directory(name).status(archive)
      if status?.kind == .file { return "\(name)/\(archive)" }
    }
    return nil
  }

  private func take(
    _ partial: String?, of order: FetchOrder, into stage: String,
    in releases: borrowing StoreDirectory
  ) throws(StoreError) {
    try storing { () throws(SystemError) in
      try releases.makeDirectory(stage, mode: 0o700)
      guard let partial else { return }
      try releases.rename(partial, to: "\(stage)/\(FetchAttempt.archiveName(order))")
    }
  }

  /// The published copy of exactly this archive and repair, verified; `nil` when there is none.
  private func published(
    _ order: FetchOrder, in releases: borrowing StoreDirectory, _ cancellation: Cancellation
  ) throws(StoreError) -> ReleaseReference? {
    for name in try storing({ () throws(SystemError) in try releases.names(limit: Self.names) }) {
      guard case .release(order.release.version, _, order.repair)? = StoreName(name),
        let manifest = try readableManifest(in: releases, name),
        manifest.archive == order.release.archive
      else { continue }
      let reference = manifest.reference(repair: order.repair)
      guard reference.directoryName == name else { continue }
      try verify(reference, cancellation: cancellation)
      return reference
    }
    return nil
  }
}

/// One attempt of one node to publish one release, in a stage of its own.
struct FetchAttempt {
  let store: ReleaseStore
  let order: FetchOrder
  let cluster: ClusterID
  let node: NodeID
  let program: String
  let peers: CopySource?
  let stage: String
  let cancellation: Cancellation

  func run(
    in releases: borrowing StoreDirectory, sign: ([UInt8]) -> Signature,
    progress: (FetchProgress) -> Void, notice: (String) -> Void
  ) throws(StoreError) -> ReleaseReference {
    let directory = try store.storing { () throws(SystemError) in try releases.directory(stage) }
    if let peers {
      try copy(from: peers, into: directory, progress, notice)
    } else {
      try download(into: directory, progress, notice)
    }
    var sealing = ReleaseSealing(store: store, cancellation: cancellation)
    try sealing.seal(directory)
    let manifest = signed(sealing.entries, sign)
    if let peers, manifest.digest != peers.reference.manifest {
      throw .fetch(
        .checksum,
        "what peers have given makes manifest \(manifest.digest), not "
          + "\(peers.reference.manifest)")
    }
    // What was written must be what every node will read.
    do throws(ManifestError) { _ = try Manifest(parsing: manifest.text) } catch {
      throw .fetch(.unsafe, "no manifest can be made of this archive: \(error)")
    }
    try store.storing { () throws(SystemError) in
      try directory.create(Manifest.fileName, content: manifest.text, mode: 0o444)
      try directory.setMode(ReleaseSealing.programMode)
      try directory.sync()
    }
    let reference = manifest.reference(repair: order.repair)
    try publish(reference, in: releases)
    return reference
  }

  /// Whatever the archive unpacks lies beside it. The name holds the digest, which no archive can
  /// hold of itself.
  static func archiveName(_ order: FetchOrder) -> String { ".archive.\(order.release.archive)" }

  /// Leaves the unpacked archive, and nothing else, in the stage.
  private func download(
    into directory: borrowing StoreDirectory, _ progress: (FetchProgress) -> Void,
    _ notice: (String) -> Void
  ) throws(StoreError) {
    let free = try store.volume().freeBytes
    guard free > ReleaseStore.minimumFreeBytes else {
      throw .storage(.full(freeBytes: free), shared: store.shared)
    }
    let room = free - ReleaseStore.minimumFreeBytes
    let archive = Self.archiveName(order)
    let run = FetchProgram(
      program: program,
      arguments: ([order.release.source] + order.release.mirrors).flatMap { ["--url", $0] } + [
        "--sha256", order.release.archive.description,
        "--archive", "\(directory.path)/\(archive)", "--into", directory.path,
        "--max-bytes", String(min(room, ReleaseStore.archiveBytes)),
        "--max-unpacked", String(min(room, ReleaseStore.unpackedBytes)),
        "--unpacked", String(order.release.unpackedBytes),
      ] + (order.release.signer.isEmpty ? [] : ["--minisign", order.release.signer]))
    do throws(StoreError) {
      try run.run(progress: progress, notice: notice, cancellation: cancellation)
    } catch {
      if case .fetch(.limit, _) = error, room < ReleaseStore.unpackedBytes {
        throw .storage(.full(freeBytes: free), shared: store.shared)
      }
      throw error
    }
    try store.storing { () throws(SystemError) in try directory.remove(archive) }
  }

  /// Has every file of a published copy brought, whoever of the peers gives it.
  private func copy(
    from peers: CopySource, into directory: borrowing StoreDirectory,
    _ progress: (FetchProgress) -> Void, _ notice: (String) -> Void
  ) throws(StoreError) {
    let run = FetchProgram(
      program: program,
      arguments: peers.urls.flatMap { ["--peer", $0] } + [
        "--manifest", peers.reference.manifest.description, "--into", directory.path,
      ])
    try run.run(progress: progress, notice: notice, cancellation: cancellation)
  }

  private func signed(_ entries: [Manifest.Entry], _ sign: ([UInt8]) -> Signature) -> Manifest {
    let source = SourceText.withoutPassword(order.release.source)
    var manifest = Manifest(
      version: order.release.version, archive: order.release.archive, entries: entries,
      publication: Manifest.Publication(
        term: order.term, node: node, source: source,
        signature: Signature(first: .zero, second: .zero)))
    manifest.publication.signature = sign(
      Manifest.signedMessage(
        digest: manifest.digest, cluster: cluster, term: order.term, node: node, source: source))
    return manifest
  }

  /// The one atomic step. Somebody else's copy under the same name has the same digest: when it
  /// verifies it is the release, and this stage was in vain.
  private func publish(
    _ reference: ReleaseReference, in releases: borrowing StoreDirectory
  ) throws(StoreError) {
    if cancellation.isCancelled { throw .cancelled }
    do throws(SystemError) {
      try releases.rename(stage, to: reference.directoryName)
    } catch {
      // A file server may have done it and lost the answer: then the stage is missing.
      guard error.isTaken || error.isMissing else {
        throw StoreError(error, shared: store.shared)
      }
      try store.verify(reference, cancellation: cancellation)
      try store.storing { () throws(SystemError) in try releases.removeTree(stage) }
    }
    try store.storing { () throws(SystemError) in try releases.sync() }
  }
}
