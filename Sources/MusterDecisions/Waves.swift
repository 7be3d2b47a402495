import MusterState

/// Who moves with whom, one number for each participant in order.
///
/// A single node goes first, so that a bad release meets one; the leader goes last, because it is
/// the one that all the others look to.
func waves(
  of participants: [NodeID], leader: NodeID?, batch: UpgradeOptions.Batch
) -> [UInt8] {
  let size: Int
  switch batch {
  case .all: return []
  case .count(let count): size = max(1, Int(count))
  case .percent(let share): size = max(1, participants.count * Int(share) / 100)
  }
  guard participants.count > 1 else { return [] }
  let order = participants.filter { $0 != leader } + participants.filter { $0 == leader }
  // Who follows the first is spread over what is left of the numbers.
  let least = (order.count - 2) / (Limits.waves - 1) + 1
  let step = max(size, least)
  return participants.map { node in
    let place = order.firstIndex(of: node) ?? 0
    return place == 0 ? 0 : UInt8(clamping: 1 + (place - 1) / step)
  }
}
