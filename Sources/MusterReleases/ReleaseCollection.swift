import MusterState
import MusterSystem

extension ReleaseStore {
  /// Removes published releases that nobody needs any more, and returns their names.
  ///
  /// The rule for `keep` is the caller's: the active, the previous, and what any live node still
  /// runs. Beyond it, two things stay that a leader which has been deposed without knowing could
  /// otherwise take away from its successor: what was published in a higher term than `term`, and
  /// what is younger than `seconds` by the filesystem's own clock.
  ///
  /// - Parameters:
  ///   - only: when it is not empty, copies of other versions stay.
  ///   - known: copies of these versions stay.
  /// - Throws: after an error some of them are gone and the others are whole.
  package func collect(
    keep: [ReleaseReference], term: UInt64, version only: String = "", except known: [String] = [],
    olderThan seconds: Int64, cancellation: Cancellation = Cancellation()
  ) throws(StoreError) -> [String] {
    let releases = try openReleases(creating: false)
    let now = try filesystemTime(of: releases)
    let kept = Set(keep.map(\.directoryName))
    var removed: [String] = []
    for name in try storing({ () throws(SystemError) in try releases.names(limit: Self.names) }) {
      guard case .release(let version, _, _) = StoreName(name), !kept.contains(name),
        only.isEmpty || version == only, !known.contains(version)
      else { continue }
      // Whoever has lost the lease meanwhile must not act on what it knew before.
      if cancellation.isCancelled { throw .cancelled }
      guard try isCollectable(name, in: releases, term: term, before: now - seconds) else {
        continue
      }
      // One step takes the whole release out of sight, so that no reader sees half of it.
      let trash = StoreName.newTrash()
      try storing { () throws(SystemError) in
        do throws(SystemError) {
          try releases.rename(name, to: trash)
          try releases.sync()
          try releases.removeTree(trash)
          removed.append(name)
        } catch {
          if !error.isMissing { throw error }
        }
      }
    }
    return removed
  }

  private func isCollectable(
    _ name: String, in releases: borrowing StoreDirectory, term: UInt64, before: Int64
  ) throws(StoreError) -> Bool {
    let status: StoreStatus
    do throws(SystemError) {
      status = try releases.status(name)
    } catch {
      if error.isMissing { return false }
      throw StoreError(error, shared: shared)
    }
    guard status.kind == .directory, status.modified <= before else { return false }
    // A copy without a readable manifest is of use to nobody.
    guard let manifest = try readableManifest(in: releases, name) else { return true }
    return manifest.publication.term <= term
  }

  /// Removes what crashes left behind and nobody works on any more: stages of this cluster from
  /// terms below `term`, releases half removed, and probes; all of them only when nothing in
  /// them changed for `seconds` by the filesystem's own clock. Returns their names.
  package func removeStages(
    cluster: ClusterID, belowTerm term: UInt64, olderThan seconds: Int64
  ) throws(StoreError) -> [String] {
    let releases = try openReleases(creating: false)
    let now = try filesystemTime(of: releases)
    return try removeLeftovers(in: releases) { (name) throws(StoreError) in
      switch StoreName(name) {
      case .stage(let owner, let staged, _):
        guard owner == StoreName.short(cluster.description), staged < term else { return false }
      case .trash, .probe: break
      case .release, nil: return false
      }
      return try lastChange(name, in: releases) <= now - seconds
    }
  }

  /// Removes the stages that earlier attempts of this node left: it works on one at a time.
  func removeOwnStages(
    cluster: ClusterID, node: NodeID, except kept: String = "",
    in releases: borrowing StoreDirectory
  ) throws(StoreError) {
    _ = try removeLeftovers(in: releases) { (name) throws(StoreError) in
      guard name != kept, case .stage(let owner, _, let author) = StoreName(name) else {
        return false
      }
      return owner == StoreName.short(cluster.description) && author == node.short
    }
  }

  private func removeLeftovers(
    in releases: borrowing StoreDirectory, where isLeftover: (String) throws(StoreError) -> Bool
  ) throws(StoreError) -> [String] {
    var removed: [String] = []
    for name in try storing({ () throws(SystemError) in try releases.names(limit: Self.names) })
    where try isLeftover(name) {
      try storing { () throws(SystemError) in try releases.removeTree(name) }
      removed.append(name)
    }
    return removed
  }

  /// The newest change of a directory or of anything directly in it: a download grows a file
  /// without touching its directory.
  private func lastChange(
    _ name: String, in releases: borrowing StoreDirectory
  ) throws(StoreError) -> Int64 {
    try storing { () throws(SystemError) in
      do throws(SystemError) {
        let status = try releases.status(name)
        guard status.kind == .directory else { return status.modified }
        let directory = try releases.directory(name)
        var newest = status.modified
        for child in try directory.names(limit: ManifestLimits.entries) {
          newest = max(newest, try directory.status(child).modified)
        }
        return newest
      } catch {
        // Its owner works on it at this moment.
        if error.isMissing { return .max }
        throw error
      }
    }
  }
}
