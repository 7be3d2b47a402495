import MusterProtocol
import MusterSimulator
import MusterState
import Foundation // readFile

func argument(_ name: String) -> UInt64? {
  guard let index = CommandLine.arguments.firstIndex(of: name) else { return nil }
  return UInt64(CommandLine.arguments[index + 1])
}
let from = argument("--from") ?? 1
let count = argument("--seeds") ?? 100
#if MUSTER_PLANTED_BUGS
if CommandLine.arguments.contains("--planted") {
  let only = argument("--case").map { Int($0) }
  for (i, c) in PlantedCase.all.enumerated() where only == nil || only == i {
    let t = ContinuousClock.now
    let found = c.firstSeed(limit: argument("--limit") ?? 200)
    let ok = found.map { c.caughtBy.contains($0.violation.checker) } ?? false
    print(i, ok ? "ok  " : "MISS", c.name, found.map { "seed \($0.seed) \($0.violation)" } ?? "-", ContinuousClock.now - t)
  }
  exit(0)
}
#endif
var options = Swarm.Options()
options.nodes = argument("--nodes").map { Int($0) }
options.planted = PlantedBugs(rawValue: argument("--plant") ?? 0)
options.insider = PlantedBugs(rawValue: argument("--insider") ?? 0)
var events = 0, datagrams = 0
var virtual: Int64 = 0
var failures: [String: [UInt64]] = [:]
var whole: [Int64] = []
let clock = ContinuousClock()
let start = clock.now
if let index = CommandLine.arguments.firstIndex(of: "--file") {
  let scenario = try ScenarioReader.read(String(contentsOfFile: CommandLine.arguments[index + 1], encoding: .utf8))
  var run = ScenarioRun(scenario, traced: true)
  let outcome = run.run()
  run.trace?.lines.forEach { print($0) }
  for node in run.simulation.nodes {
    guard let peer = node.peer else { continue }
    let c = peer.counters
    print(node.name, c.datagramsReceived, c.datagramsSent, c.multicastsSent, DropReason.allCases.filter { c.count(of: $0) > 0 }.map { "\($0.name)=\(c.count(of: $0))" })
    for m in peer.view(at: run.simulation.now).members { print("  ", m.name, m.state, m.incarnation) }
  }
  print(outcome)
  exit(0)
}
let verbose = CommandLine.arguments.contains("--trace")
for seed in from..<from + count {
  let scenario = Swarm.scenario(seed: seed, options: options)
  if CommandLine.arguments.contains("--text") { print(scenario.text) }
  var run = ScenarioRun(scenario, traced: verbose)
  let outcome = run.run()
  if verbose { run.trace?.lines.forEach { print($0) } }
  events += outcome.events
  datagrams += outcome.datagrams
  virtual += outcome.time.milliseconds
  if let w = outcome.wholeAfter { whole.append(w.milliseconds) }
  if let violation = outcome.violation {
    if failures[violation.checker, default: []].count < 8 {
      print("seed \(seed) nodes \(scenario.nodes):", violation)
    }
    failures[violation.checker, default: []].append(seed)
    if CommandLine.arguments.contains("--first") { break }
    if CommandLine.arguments.contains("--shrink") {
      var shrinking = Shrinking(violation)
      let small = shrinking.shrink(scenario)
      print("after \(shrinking.runs) runs:\n\(small.text)")
      var again = ScenarioRun(small, traced: true)
      _ = again.run()
      again.trace?.lines.suffix(80).forEach { print($0) }
    }
  }
}
let elapsed = clock.now - start
whole.sort()
print("seeds \(count) events \(events) datagrams \(datagrams) virtual \(virtual / 1000) s wall \(elapsed)",
  "events/s \(Int(Double(events) / (elapsed / .seconds(1))))  x\(Int(Double(virtual) / 1000 / (elapsed / .seconds(1))))")
if !whole.isEmpty { print("whole after p50 \(whole[whole.count/2]) ms p99 \(whole[whole.count*99/100]) max \(whole.last!)") }
for (name, seeds) in failures.sorted(by: { $0.key < $1.key }) { print("FAILED \(name): \(seeds.count) \(seeds.prefix(20))") }
