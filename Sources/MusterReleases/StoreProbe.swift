import MusterState
import MusterSystem

extension ReleaseStore {
  /// Finds out what can be done with the shared directory, and leaves nothing behind.
  ///
  /// - Parameters:
  ///   - current: the release that the register names; its manifest is read back, so that a
  ///     directory that is not really the shared one is told from a good one.
  ///   - home: the filesystem on which the directory was usable before. Another one is lost
  ///     ground, unless the current release is there.
  ///   - writes: whether to try a write. A worker that only reads need not.
  package func survey(
    expecting current: ReleaseReference? = nil, home: StoreVolume.Identity? = nil,
    writes: Bool = true
  ) -> StorageSurvey {
    var survey = StorageSurvey(state: .notConfigured, volume: nil, hasReadBack: false)
    guard !shared.isEmpty else { return survey }
    do throws(StoreError) {
      let volume = try volume()
      survey.volume = volume
      survey.state = try state(of: volume, current, home, writes: writes)
      survey.hasReadBack = current != nil && survey.state.isReadable
    } catch {
      survey.state = state(for: error)
    }
    return survey
  }

  /// The state alone, of a directory that nothing is known of.
  package func probe(
    expecting current: ReleaseReference? = nil, writes: Bool = true
  ) -> StorageState {
    survey(expecting: current, writes: writes).state
  }

  private func state(
    of volume: StoreVolume, _ current: ReleaseReference?, _ home: StoreVolume.Identity?,
    writes: Bool
  ) throws(StoreError) -> StorageState {
    if let current, let state = try readBack(current) { return state }
    if current == nil, let home, volume.identity.isBeneath(home) {
      return .lost("the \(home.type) filesystem that was mounted there is gone")
    }
    if volume.isReadOnly { return .readOnly }
    let isFull = volume.freeBytes < Self.minimumFreeBytes || volume.freeFiles == 0
    if isFull { return .full(freeBytes: volume.freeBytes) }
    if writes { try tryWrite() }
    return .ready
  }

  /// Reads the manifest of the current release through this mount; `nil` when it is as published.
  private func readBack(_ current: ReleaseReference) throws(StoreError) -> StorageState? {
    let name = current.directoryName
    do throws(StoreError) {
      let found = try manifest(in: try openReleases(creating: false), name).digest
      return found == current.manifest
        ? nil : .damaged(release: name, reason: "its manifest has digest \(found)")
    } catch {
      switch error {
      case .missing, .storage(.waiting, _): return .notShared(release: name)
      case .corrupt(_, let path, let reason):
        return .damaged(release: name, reason: "\(path) \(reason)")
      case .refused, .storage, .fetch, .cancelled, .system: throw error
      }
    }
  }

  private func tryWrite() throws(StoreError) {
    _ = try filesystemTime(of: try openReleases(creating: true))
  }

  /// The filesystem's own time, which need not be this machine's: that of a file made for it.
  func filesystemTime(of releases: borrowing StoreDirectory) throws(StoreError) -> Int64 {
    let name = StoreName.newProbe()
    return try storing { () throws(SystemError) in
      do throws(SystemError) {
        try releases.create(name, content: Array(name.utf8), mode: 0o600)
        let content = try releases.read(name, limit: 64)
        let time = try releases.status(name).modified
        try releases.remove(name)
        guard content == Array(name.utf8) else {
          throw SystemError.unreadable(releases.path)
        }
        return time
      } catch {
        try? releases.remove(name)
        throw error
      }
    }
  }

  private func state(for error: StoreError) -> StorageState {
    switch error {
    case .storage(.full, _): .full(freeBytes: (try? volume().freeBytes) ?? 0)
    case .storage(let state, _): state
    case .system(let error) where error.isMissing || error.isNotDirectory: .waiting(.directory)
    case .refused, .fetch, .missing, .corrupt, .cancelled, .system: .lost(error.description)
    }
  }
}
