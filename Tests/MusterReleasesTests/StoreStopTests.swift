import Foundation
import MusterReleases
import MusterState
import MusterSystem
import Synchronization
import Testing

/// Sees every change that a store makes, and ends it before the n-th: from there on nothing works
/// any more, as in a process that was killed.
final class Stopper: Sendable {
  private struct State {
    var operations: [StoreOperation] = []
    /// The names in a directory when it was last synced.
    var durableNames: [String: Set<String>] = [:]
    var durableFiles: Set<String> = []
    var unsyncedRenames: [StoreOperation] = []
    var isOver = false
  }

  private let state = Mutex(State())
  private let limit: Int

  init(before limit: Int) { self.limit = limit }

  var isOver: Bool { state.withLock { $0.isOver } }
  var count: Int { state.withLock { $0.operations.count } }

  func run(_ body: () -> Void) {
    let allows: @Sendable (StoreOperation) -> Bool = { self.allows($0) }
    StoreTrap.$allows.withValue(allows) { body() }
  }

  private func allows(_ operation: StoreOperation) -> Bool {
    state.withLock { state in
      guard !state.isOver, state.operations.count + 1 < limit else {
        state.isOver = true
        return false
      }
      state.operations.append(operation)
      Self.note(operation, &state)
      return true
    }
  }

  private static func note(_ operation: StoreOperation, _ state: inout State) {
    let path = operation.path
    switch operation.kind {
    case .create, .write: state.durableFiles.remove(path)
    case .sync:
      let type = try? FileManager.default.attributesOfItem(atPath: path)[.type]
      guard type as? FileAttributeType == .typeDirectory else {
        state.durableFiles.insert(path)
        return
      }
      state.durableNames[path] = Set(
        (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [])
      state.unsyncedRenames.removeAll { ($0.path as NSString).deletingLastPathComponent == path }
    case .rename:
      state.unsyncedRenames.append(operation)
      func moved(_ name: String) -> String {
        name == path || name.hasPrefix(path + "/")
          ? operation.target + name.dropFirst(path.count) : name
      }
      state.durableFiles = Set(state.durableFiles.map(moved))
      state.durableNames = Dictionary(
        uniqueKeysWithValues: state.durableNames.map { (moved($0.key), $0.value) })
    case .makeDirectory, .setMode, .remove: break
    }
  }

  /// What a disk may hold after a loss of power: the content of a file and the names in a
  /// directory that were not synced are gone. A name that was given and not synced may be there
  /// all the same, long before what is behind it: journals of names do not wait for data.
  func losePower(under releases: String, namesStay: Bool) {
    let state = state.withLock { $0 }
    var files = state.durableFiles
    var names = state.durableNames
    if !namesStay {
      for rename in state.unsyncedRenames.reversed() {
        try? FileManager.default.moveItem(atPath: rename.target, toPath: rename.path)
        func back(_ name: String) -> String {
          name == rename.target || name.hasPrefix(rename.target + "/")
            ? rename.path + name.dropFirst(rename.target.count) : name
        }
        files = Set(files.map(back))
        names = Dictionary(uniqueKeysWithValues: names.map { (back($0.key), $0.value) })
      }
    }
    for path in tree(releases).map({ "\(releases)/\($0)" }) {
      let type =
        try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
      let parent = (path as NSString).deletingLastPathComponent
      let name = (path as NSString).lastPathComponent
      let isInStage = parent != releases
      if isInStage, names[parent]?.contains(name) != true {
        setMode(parent, 0o755)
        try? FileManager.default.removeItem(atPath: path)
      } else if type == .typeRegular, !files.contains(path) {
        setMode(path, 0o644)
        try? resize(path, to: 0)
      }
    }
  }
}

/// The store is stopped before each of its changes in turn, and then the power is cut as well.
@Suite struct StoreStopTests {
  enum Ending: CaseIterable { case stop, powerLoss, powerLossWithNames }

  private let scratch: Scratch
  private let archive: String

  init() throws {
    scratch = try Scratch()
    archive = try Archives.make("gz", in: scratch)
  }

  private func expectNothingPartial(_ store: ReleaseStore, _ place: String) throws {
    let listing = try store.list()
    #expect(listing.damaged.isEmpty && listing.foreign.isEmpty, "\(place): \(listing)")
    for release in listing.releases {
      #expect(throws: Never.self, "\(place)") { try store.verify(release) }
    }
  }

  @Test(arguments: Ending.allCases)
  func `a fetch that is stopped anywhere shows nothing partial and is in nobody's way`(
    ending: Ending
  ) throws {
    var number = 0
    var isOver = true
    while isOver {
      number += 1
      let place = "\(ending) before change \(number)"
      let store = ReleaseStore(shared: try scratch.makeShared("\(ending)\(number)"))
      let order = try order(source: "file://\(archive)", archive: archive)
      let stopper = Stopper(before: number)
      stopper.run { _ = try? store.fetch(order) }
      isOver = stopper.isOver
      let releases = store.shared + "/releases"
      if ending != .stop {
        stopper.losePower(under: releases, namesStay: ending == .powerLossWithNames)
      }
      try expectNothingPartial(store, place)
      // A successor on another machine, in a higher term, while the leftovers lie there.
      var later = order
      later.term += 1
      try store.verify(try store.fetch(later, node: secondNode))
      // The node itself, when it is back.
      try store.verify(try store.fetch(order))
      #expect(try store.list().stages.isEmpty, "\(place)")
      _ = try store.removeStages(cluster: cluster, belowTerm: 9, olderThan: 0)
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: releases).count == 1, "\(place)")
      #expect(number < 500)
    }
    #expect(number > 30, "only \(number) changes were seen")
  }

  @Test func `a removal that is stopped anywhere leaves whole releases, and is finished later`()
    throws
  {
    var number = 0
    var isOver = true
    while isOver {
      number += 1
      let store = ReleaseStore(shared: try scratch.makeShared("removal\(number)"))
      _ = try store.fetch(try order("1", source: "file://\(archive)", archive: archive))
      let kept = try store.fetch(try order("2", source: "file://\(archive)", archive: archive))
      let stopper = Stopper(before: number)
      stopper.run { _ = try? store.collect(keep: [kept], term: 3, olderThan: 0) }
      isOver = stopper.isOver
      try expectNothingPartial(store, "before change \(number)")
      #expect(try store.list().releases.contains(kept))
      _ = try store.collect(keep: [kept], term: 3, olderThan: 0)
      _ = try store.removeStages(cluster: cluster, belowTerm: 3, olderThan: 0)
      #expect(tree(store.shared).filter { !$0.contains("/2-") } == ["releases"])
      #expect(number < 500)
    }
    #expect(number > 5)
  }

  @Test func `what a crash left in a lower term goes when it is an hour old`() throws {
    let store = ReleaseStore(shared: try scratch.makeShared())
    let stage = ".stage.11223344.2.\(secondNode.short).0123456789abcdef"
    let path = "\(store.shared)/releases/\(stage)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try write("half", to: path + "/.archive")
    func age(_ seconds: Double) throws {
      for item in [path + "/.archive", path] {
        try FileManager.default.setAttributes(
          [.modificationDate: Date().addingTimeInterval(-seconds)], ofItemAtPath: item)
      }
    }
    try age(3_500)
    #expect(try store.removeStages(cluster: cluster, belowTerm: 3, olderThan: 3_600).isEmpty)
    try age(3_700)
    #expect(try store.removeStages(cluster: cluster, belowTerm: 2, olderThan: 3_600).isEmpty)
    #expect(try store.removeStages(cluster: cluster, belowTerm: 3, olderThan: 3_600) == [stage])
  }
}
