#if MUSTER_PLANTED_BUGS
  import MusterState

  /// A member that lies, for tests: it has the cluster key and its own identity, and no vote,
  /// because the promises hold only while voters speak the truth ("Certificates" in
  /// `proto/README.md`).
  extension Peer {
    /// What it shows of itself instead of the truth.
    func lie(in card: inout CoordinationCard) {
      guard !isVoter, durable.founding != nil else { return }
      if plants(.insiderClaimsLeadership) {
        card.role = .leader
        card.term = durable.term + 5
        card.certificate = coordination.entry?.certificate
      }
      if plants(.insiderInflatesTerm) { card.term = durable.term + 1_000 }
    }

    /// Somebody else's record with another content, under a newer version.
    func forged(_ record: Record) -> Record {
      guard record.author != id, record.name == .data || record.name == .coordination else {
        return record
      }
      return Record.make(
        author: record.author, incarnation: record.incarnation, name: record.name,
        version: record.stamp.version + 1, content: record.content,
        cluster: configuration.cluster, signer: cryptography)
    }
  }
#endif
