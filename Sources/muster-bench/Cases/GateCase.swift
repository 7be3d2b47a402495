/// What continuous integration holds: ratios that do not depend on the machine, in a third of a
/// minute.
enum GateCase {
  static func benches(_ options: BenchOptions) -> [BenchCase] {
    var small = options
    small.isShort = true
    small.isTiny = true
    return [
      CrashCase.bench(small), BlockCase.latency(small),
      BlockCase.grid(small).bounded([
        "packets/s a member": .ratio(2_700), "bytes/s a member": .ratio(2_900),
      ]),
      LossCase.joins(small).bounded([
        "packets/s a member": .ratio(5_800), "bytes/s a member": .ratio(12_700),
      ]),
      LossCase.calm(small).bounded(["all see the crash, worst": .ratio(800)]),
      DisseminationCase.bench(small), NewcomerCase.bench(small),
    ]
  }
}

extension BenchCase {
  /// Where a target is not reached yet, the gate holds what has been reached: a sixth above what
  /// was measured. The case itself goes on asking for its target.
  fileprivate func bounded(_ bounds: [String: Target]) -> BenchCase {
    var bench = self
    bench.rows = { [rows] setting in
      rows(setting).map { rule in
        guard let bound = bounds[rule.title], !rule.targets.isEmpty else { return rule }
        var rule = rule
        rule.targets = [bound]
        return rule
      }
    }
    return bench
  }
}
