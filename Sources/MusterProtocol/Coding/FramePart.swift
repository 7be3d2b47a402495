/// What a datagram between members is for: the part that it was sent for.
package enum FramePart: Int, CaseIterable, Sendable {
  case probe
  /// Asks a neighbour whether it agrees.
  case question
  case answer
  /// Says that this node agrees, up or down the tree.
  case agreement
  case request
  case requested
  case records
  case buckets
  case digest
  case wanted
  case chunks
  case lease
  case relayed

  /// The label of the metric.
  package var name: String {
    switch self {
    case .probe: "probe"
    case .question: "question"
    case .answer: "answer"
    case .agreement: "agreement"
    case .request: "indirect-ping"
    case .requested: "indirect-ack"
    case .records: "records"
    case .buckets: "buckets"
    case .digest: "digest"
    case .wanted: "wanted"
    case .chunks: "chunks"
    case .lease: "lease"
    case .relayed: "relayed"
    }
  }
}

extension Frame {
  var part: FramePart {
    if let ping { return ping.sequence == 0 ? .question : .probe }
    if let acknowledgement { return acknowledgement.sequence == 0 ? .agreement : .answer }
    if indirectPing != nil { return .request }
    if indirectAck != nil { return .requested }
    if heartbeat != nil || promise != nil { return .lease }
    if relayedHeartbeat != nil || relayedPromise != nil { return .relayed }
    if !records.isEmpty { return .records }
    if !buckets.isEmpty { return .buckets }
    if digest != nil { return .digest }
    return wanted.isEmpty ? .chunks : .wanted
  }
}
