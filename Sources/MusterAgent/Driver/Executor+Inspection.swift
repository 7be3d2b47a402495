import MusterReleases
import MusterState

/// What every node does when an operator wants to know whether a release is right everywhere.
extension Executor {
  func followInspect() {
    guard let order = duty.inspect else {
      inspecting = nil
      return
    }
    guard order != inspecting, inspected?.id != order.id else { return }
    inspecting = order
    log.info("looking at every byte of \(order.release.directoryName)")
    store.inspect(order.release) { [weak self] result in
      // An order that came meanwhile is looked at by itself.
      guard let self, inspecting == order else { return }
      inspecting = nil
      let verdict = InspectionVerdict(of: result, for: order)
      inspected = verdict
      log.add(verdict.isGood ? .info : .error, verdict.text)
      publish()
    }
  }
}

extension InspectionVerdict {
  init(of result: Result<ReleaseInspection, StoreFailure>, for order: InspectionOrder) {
    switch result {
    case .success(let found):
      let more = found.problemCount > 1 ? ", and \(found.problemCount - 1) more" : ""
      let problem = found.problems.first.map { "\($0.path) \($0.reason)\(more)" }
      self.init(
        id: order.id, isGood: found.problemCount == 0,
        text: problem ?? "\(found.files) files, \(found.bytes) bytes")
    case .failure(let failure):
      self.init(id: order.id, isGood: false, text: failure.reason)
    }
  }
}

extension Executor {
  /// What an index says is for the log and for everyone's status.
  func indexChanged() {
    if let news = follower?.news, !news.isEmpty { log.info("the index of releases: \(news)") }
    publish()
  }
}
