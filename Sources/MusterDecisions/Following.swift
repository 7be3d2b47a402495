import MusterState

extension RegisterBody {
  /// Where the leader looks for new versions between two plans, if operators want that.
  var indexOrder: IndexOrder? {
    guard plan == nil, repair?.isUnderWay != true, let url = setting(IndexOrder.urlKey) else {
      return nil
    }
    let wanted = setting(IndexOrder.intervalKey).flatMap { Int64($0) } ?? Limits.indexSecondsUsual
    let range = Limits.indexSeconds
    return IndexOrder(
      url: url, signer: setting(IndexOrder.signerKey) ?? "",
      seconds: min(max(wanted, range.lowerBound), range.upperBound),
      known: releases.map(\.version))
  }
}

/// Takes a version that an index announces: it is added and wanted in one step, or not at all. One
/// that is known was taken before, or an operator decides about it: so what has failed is not tried
/// again, and an old index brings nothing back.
func follow(
  _ release: ReleaseSource, in body: inout RegisterBody, _ beginning: inout String?,
  _ observation: Observation
) -> String {
  guard body.setting(IndexOrder.urlKey) != nil else { return "no index is followed any more" }
  guard !body.releases.contains(where: { $0.version == release.version }) else { return "" }
  var next = body
  let refusal = add(release, to: &next)
  guard refusal.isEmpty else { return refusal }
  let doubt = upgrade(
    to: release.version, UpgradeOptions(), in: &next, &beginning, observation)
  if doubt.isEmpty { body = next }
  return doubt
}
