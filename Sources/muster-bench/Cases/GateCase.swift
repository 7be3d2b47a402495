/// What continuous integration holds: ratios that do not depend on the machine, in a minute.
enum GateCase {
  static func benches(_ options: BenchOptions) -> [BenchCase] {
    var small = options
    small.isShort = true
    small.isTiny = true
    return [
      CrashCase.bench(small), BlockCase.latency(small), BlockCase.grid(small),
      LossCase.joins(small), LossCase.calm(small), DisseminationCase.bench(small),
    ]
  }
}
