import MusterProtocol
import MusterState

/// The shared filesystem at the level of its effects: a rename is atomic, a copy that is there is
/// whole, and what another machine published may take a moment to be seen.
package struct SimulatedShare: Sendable {
  package struct Copy: Hashable, Sendable {
    package var reference: ReleaseReference
    package var publishedAt: Instant
    package var by: Int
    /// A byte has flipped since: the manifest no longer matches.
    package var isCorrupt = false
    /// How often somebody renamed a stage to this name and won.
    package var publications = 1
  }

  package private(set) var copies: [String: Copy] = [:]
  package var isFull = false
  package var lost: Set<Int> = []
  package var readOnly: Set<Int> = []
  /// Attribute caches: how long others may not see what was published.
  package var staleness = TimeSpan.zero

  package init() {}

  /// What a machine finds under a release's name.
  package func copy(of reference: ReleaseReference, seenBy node: Int, at now: Instant) -> Copy? {
    guard !lost.contains(node), let copy = copies[reference.directoryName] else { return nil }
    return copy.by == node || now - copy.publishedAt >= staleness ? copy : nil
  }

  /// The word that an agent says about its mount.
  package func condition(for node: Int) -> String {
    if lost.contains(node) { return "lost" }
    if readOnly.contains(node) { return "read-only" }
    return isFull ? "full" : "ready"
  }

  /// A rename: the first one wins, and the second finds identical bytes.
  ///
  /// - Returns: why it failed; `nil` when a copy with this name is there now.
  mutating func publish(
    _ reference: ReleaseReference, by node: Int, at now: Instant, overwriting: Bool
  ) -> String? {
    guard condition(for: node) == "ready" else {
      return "the shared directory is \(condition(for: node))"
    }
    let name = reference.directoryName
    if var copy = copies[name] {
      // A deposed leader's late rename: refused by the filesystem, because the name is taken.
      if overwriting {
        copy.publications += 1
        copies[name] = copy
      }
      return nil
    }
    copies[name] = Copy(reference: reference, publishedAt: now, by: node)
    return nil
  }

  /// Flips a byte in every copy that is there.
  package mutating func corrupt() {
    for name in copies.keys.sorted() { copies[name]?.isCorrupt = true }
  }

  /// Every machine reads and writes again; flipped bytes stay flipped.
  package mutating func calm() {
    isFull = false
    lost = []
    readOnly = []
    staleness = .zero
  }
}
