/// A committed order to publish a release again, because the copy that is in use is corrupt.
///
/// What runs is not touched: the next start of each node takes the new copy.
package struct ReleaseRepair: Hashable, Sendable {
  /// Names the fetch that belongs to it.
  package var id: PlanID
  /// The term in which it was first committed.
  package var term: UInt64
  /// The copy that somebody has found corrupt.
  package var corrupt: ReleaseReference
  /// Why it was given up; empty while it is under way.
  package var failure: String

  package init(id: PlanID, term: UInt64, corrupt: ReleaseReference, failure: String = "") {
    self.id = id
    self.term = term
    self.corrupt = corrupt
    self.failure = failure
  }
}

/// A committed order to remove published releases from the shared filesystem.
package struct ReleaseRemoval: Hashable, Sendable {
  package var id: PlanID
  /// The term in which it was committed: what a higher one published stays.
  package var term: UInt64
  /// Only copies of this version go, of whatever age; empty: all that nobody needs, once they are
  /// old enough.
  package var version: String
  /// What live nodes ran when it was committed, sorted. The register's own releases stay as well.
  package var keep: [ReleaseReference]
  /// What came of it, for people; empty while it is under way.
  package var outcome: String

  package init(
    id: PlanID, term: UInt64, version: String, keep: [ReleaseReference], outcome: String = ""
  ) {
    self.id = id
    self.term = term
    self.version = version
    self.keep = keep
    self.outcome = outcome
  }
}

/// What the agent of the effective leader does for a `ReleaseRemoval`.
package struct CollectOrder: Hashable, Sendable {
  package var id: PlanID
  package var term: UInt64
  package var version: String
  /// Sorted.
  package var keep: [ReleaseReference]

  package init(id: PlanID, term: UInt64, version: String, keep: [ReleaseReference]) {
    self.id = id
    self.term = term
    self.version = version
    self.keep = keep
  }
}

/// How a `CollectOrder` ended: what went, or why nothing more did, in one line.
package struct CollectOutcome: Hashable, Sendable {
  package var id: PlanID
  package var text: String

  package init(id: PlanID, text: String) {
    self.id = id
    self.text = text
  }
}

/// What a node does that keeps its own copies, whenever it has changed and after each start: what
/// the register does not know any more goes at any age, the rest by the rules of every collection.
package struct TidyOrder: Hashable, Sendable {
  /// The versions that the register knows, sorted.
  package var versions: [String]
  /// The last removal that the register has seen through, so that each is a reason to look again.
  package var removal: PlanID?

  package init(versions: [String], removal: PlanID?) {
    self.versions = versions
    self.removal = removal
  }
}

/// A committed order that each node looks at every byte of a published release, where it runs it
/// from, and says what it has found.
package struct InspectionOrder: Hashable, Sendable {
  package var id: PlanID
  package var release: ReleaseReference
  /// Whether everyone who lives has answered, so that nobody begins any more.
  package var isOver: Bool

  package init(id: PlanID, release: ReleaseReference, isOver: Bool = false) {
    self.id = id
    self.release = release
    self.isOver = isOver
  }
}

/// What a node has found for an `InspectionOrder`.
package struct InspectionVerdict: Hashable, Sendable {
  package var id: PlanID
  package var isGood: Bool
  /// What was looked at, or what is wrong, in one line.
  package var text: String

  package init(id: PlanID, isGood: Bool, text: String) {
    self.id = id
    self.isGood = isGood
    self.text = text
  }
}

/// Where new versions are announced, for the leader to take each by itself, once.
package struct IndexOrder: Hashable, Sendable {
  package var url: String
  /// The minisign public key that must have signed the index; empty: none is asked for.
  package var signer: String
  /// Between two looks at it.
  package var seconds: Int64
  /// The versions that the register knows, sorted: none of them is taken again.
  package var known: [String]

  package init(url: String, signer: String, seconds: Int64, known: [String]) {
    self.url = url
    self.signer = signer
    self.seconds = seconds
    self.known = known
  }

  /// The cluster's settings that say so.
  package static let urlKey = "release.index"
  package static let signerKey = "release.index.minisign"
  package static let intervalKey = "release.index.seconds"
}
