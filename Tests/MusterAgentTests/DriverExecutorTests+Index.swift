import MusterAgent
import MusterState
import MusterSystem
import Testing

/// The leader looks now and then which version is the latest.
extension DriverExecutorTests {
  private func following(_ url: String?, knowing known: [String] = ["1.0"]) -> Duty {
    Duty(
      term: 1, role: .web, run: one,
      index: url.map { IndexOrder(url: $0, signer: "", seconds: 10, known: known) })
  }

  private func source(_ version: String) -> ReleaseSource {
    ReleaseSource(version: version, source: "https://a.example/a.tar", archive: Digest(.zero))
  }

  private var looks: [String] { store.calls.filter { $0.hasPrefix("read ") } }
  private var news: String { statuses.all.last?.index ?? "" }

  private func turn() throws {
    for _ in 0..<5 { try loop.turn(limit: 1_000_000) }
  }

  @Test func `what is new is taken once, and what is known is left alone`() throws {
    var taken: [String] = []
    executor.onAnnounced = { release, answer in
      taken.append(release.version)
      answer(taken.count == 1 ? "the storage is lost" : "")
    }
    executor.obey(following("https://a.example/index"))
    try turn()
    #expect(looks == ["read https://a.example/index"])
    store.indices.removeFirst()(.success(source("1.0")))
    #expect(taken.isEmpty && news == "1.0 is the latest")
    executor.obey(following("https://a.example/index?2"))
    try turn()
    store.indices.removeFirst()(.success(source("2.0")))
    #expect(taken == ["2.0"] && news == "2.0 is not taken: the storage is lost")
    executor.obey(following("https://a.example/index?3"))
    try turn()
    store.indices.removeFirst()(.success(source("2.0")))
    #expect(taken == ["2.0", "2.0"] && news == "2.0 is new")
  }

  @Test func `an index that cannot be had is a line, and is not asked at every turn`() throws {
    executor.obey(following("https://a.example/index"))
    try turn()
    store.indices.removeFirst()(.failure(StoreFailure(reason: "no answer", mayPass: true)))
    #expect(news == "no answer")
    executor.obey(following("https://a.example/index", knowing: ["1.0", "1.1"]))
    executor.obey(following(nil))
    executor.obey(following("https://a.example/index"))
    try turn()
    #expect(looks.count == 1, "ten seconds are not over")
    executor.obey(following(nil))
    #expect(news.isEmpty, "who does not lead has nothing to say of it")
  }
}
