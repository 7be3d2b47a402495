import Glibc
import MusterSystem
import Synchronization
import Testing

/// A server on a loop of its own thread, so that blocking clients can be used against it.
final class HttpTestServer: Sendable {
  let directory: String
  let path: String
  private let port = Mutex<UInt16>(0)
  private let counted = Mutex(HttpCounters())
  /// What the thread of the loop has used of a processor, in nanoseconds.
  private let used = Atomic<Int64>(0)
  private let isStopping = Atomic(false)
  private let state = Atomic(0)

  var tcpPort: UInt16 { port.withLock { $0 } }
  var counters: HttpCounters { counted.withLock { $0 } }
  var processorNanoseconds: Int64 { used.load(ordering: .acquiring) }

  init(
    tcp: Bool = false, handler: @escaping @Sendable (EventLoop) -> HttpServer.Handler
  ) throws {
    directory = try HttpTest.temporaryDirectory()
    path = directory + "/control"
    let path = path
    let thread = HttpTest.Thread { [self] in
      do {
        let loop = try EventLoop()
        let listener =
          tcp
          ? try HttpListener.tcp(host: "127.0.0.1", port: 0) : try HttpListener.unix(path)
        let server = try HttpServer(loop: loop, listener: listener, handler: handler(loop))
        port.withLock { $0 = server.port }
        state.store(1, ordering: .releasing)
        while !isStopping.load(ordering: .acquiring) {
          try loop.turn(limit: 5_000_000)
          counted.withLock { $0 = server.counters }
          used.store(HttpTest.threadNanoseconds, ordering: .releasing)
        }
        server.close()
      } catch {
        Issue.record(error)
      }
      state.store(2, ordering: .releasing)
    }
    try thread.start()
    try #require(HttpTest.eventually { state.load(ordering: .acquiring) != 0 })
  }

  func stop() {
    isStopping.store(true, ordering: .releasing)
    #expect(HttpTest.eventually { state.load(ordering: .acquiring) == 2 })
    _ = try? HttpTest.run("rm", ["-rf", directory])
  }
}

@Suite(.serialized) struct HttpServerTests {
  @Test func `a request reaches the handler whole, and its answer comes back`() throws {
    let server = try HttpTestServer { _ in
      { request, responder in
        let query = request.query.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
        let text = "\(request.method) \(request.path) \(query) \(request.body.count)"
        responder.answer(
          HttpResponse(status: 201, contentType: "text/plain", body: Array(text.utf8)))
      }
    }
    defer { server.stop() }
    let client = HttpClient(path: server.path)
    let target = HttpClient.target(
      "/set", [HttpField("key", "a b&c=d/ü"), HttpField("flag", "")])
    let reply = try client.send("POST", target, body: Array(repeating: 65, count: 60_000))
    #expect(reply.status == 201)
    #expect(String(decoding: reply.body, as: UTF8.self) == "POST /set key=a b&c=d/ü&flag= 60000")
    let curl = try HttpTest.run(
      "curl", ["-sS", "--unix-socket", server.path, "http://muster/x%20y?a=1&a"])
    #expect(curl.output == "GET /x y a=1&a= 0")
  }

  @Test func `a body beyond the limit is refused, declared or not`() throws {
    let server = try HttpTestServer { _ in
      { _, responder in responder.answer(HttpResponse(status: 200, body: [])) }
    }
    defer { server.stop() }
    let client = HttpClient(path: server.path)
    let fits = Array(repeating: UInt8(65), count: HttpLimits.requestBody)
    #expect(try client.send("POST", "/", body: fits).status == 200)
    #expect(try client.send("POST", "/", body: fits + [65]).status == 413)
    #expect(try client.send("POST", "/", body: fits + fits + fits).status == 413)
    let chunked = try HttpTest.run(
      "sh",
      [
        "-c",
        "head -c 200000 /dev/zero | curl -sS -o /dev/null -w '%{http_code}' --unix-socket "
          + "\(server.path) -H 'Transfer-Encoding: chunked' --data-binary @- http://muster/",
      ])
    #expect(chunked.output == "413")
  }

  @Test func `an answer may come later, and meanwhile others are served`() throws {
    let server = try HttpTestServer { loop in
      { request, responder in
        let answer = { responder.answer(HttpResponse(status: 200, body: Array("late".utf8))) }
        if request.path == "/late" {
          loop.schedule(after: 300_000_000) { answer() }
        } else {
          answer()
        }
      }
    }
    defer { server.stop() }
    let late = try HttpTest.Process(
      "curl", ["-sS", "--unix-socket", server.path, "http://muster/late"])
    let began = MonotonicClock.nanoseconds
    for _ in 0..<20 { _ = try HttpClient(path: server.path).send("GET", "/now") }
    #expect(MonotonicClock.nanoseconds - began < 250_000_000)
    #expect(try late.finish().output == "late")
  }

  @Test func `a client that goes away while it waits is noticed at once`() throws {
    let server = try HttpTestServer { loop in
      { _, responder in
        // The responder is kept by nobody else.
        loop.schedule(after: 60_000_000_000) {
          responder.answer(HttpResponse(status: 200, body: []))
        }
      }
    }
    defer { server.stop() }
    let curl = try HttpTest.Process(
      "curl", ["-sS", "--unix-socket", server.path, "http://muster/"])
    #expect(HttpTest.eventually { server.counters.requests == 1 })
    #expect(server.counters.connections == 1)
    curl.kill()
    #expect(HttpTest.eventually { server.counters.connections == 0 })
  }

  @Test func `a request whose responder is dropped is answered with an error`() throws {
    let server = try HttpTestServer { _ in { _, _ in } }
    defer { server.stop() }
    #expect(try HttpClient(path: server.path).send("GET", "/").status == 500)
  }

  @Test func `a stream sends what comes, and waiting costs no processor time`() throws {
    let server = try HttpTestServer { loop in
      { _, responder in
        let feed = Feed()
        let stream = responder.stream(contentType: "text/plain") { feed.next() }
        func add(_ count: Int) {
          feed.add("line \(count)\n")
          stream.wake()
          if count < 5 {
            loop.schedule(after: 100_000_000) { add(count + 1) }
          } else {
            feed.isOver = true
          }
        }
        loop.schedule(after: 50_000_000) { add(1) }
      }
    }
    defer { server.stop() }
    // Two threads wait here, and a busy one would take a processor for all of the half second. Each
    // is measured by itself: other tests run beside this one, for minutes at a time.
    var lines: [String] = []
    var times: [Int64] = []
    let before = (server.processorNanoseconds, HttpTest.threadNanoseconds)
    let reply = try HttpClient(path: server.path).follow("/events") {
      lines.append(String(decoding: $0, as: UTF8.self))
      times.append(MonotonicClock.nanoseconds)
      return true
    }
    let took = try #require(times.last) - (try #require(times.first))
    #expect(reply.status == 200)
    #expect(lines == (1...5).map { "line \($0)" })
    #expect(took > 300_000_000)
    #expect(server.processorNanoseconds - before.0 < 100_000_000)
    #expect(HttpTest.threadNanoseconds - before.1 < 100_000_000)
  }

  @Test func `a stream's client that stops reading is cut when its feeder says so`() throws {
    let server = try HttpTestServer { loop in
      { request, responder in
        guard request.path == "/flood" else {
          return responder.answer(HttpResponse(status: 200, body: []))
        }
        let stream = responder.stream(contentType: "text/plain") {
          .bytes(Array(repeating: 65, count: 10_000))
        }
        loop.schedule(after: 200_000_000) { stream.cut() }
      }
    }
    defer { server.stop() }
    let slow = try HttpTest.RawConnection(path: server.path)
    slow.write("GET /flood HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(HttpTest.eventually { server.counters.streams == 1 })
    #expect(HttpTest.eventually { server.counters.cut == 1 && server.counters.connections == 0 })
    #expect(server.counters.streams == 0)
    #expect(try HttpClient(path: server.path).send("GET", "/").status == 200)
  }

  @Test func `garbage, half a request and a silent client disturb nobody`() throws {
    let server = try HttpTestServer { _ in
      { _, responder in responder.answer(HttpResponse(status: 200, body: [])) }
    }
    defer { server.stop() }
    var kept: [HttpTest.RawConnection] = []
    for text in [
      "\u{0}\u{1}\u{2}\r\n\r\n", "GET", "", "GET / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
      "GET /" + String(repeating: "a", count: 100_000) + " HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\nX: " + String(repeating: "b", count: 100_000) + "\r\n\r\n",
    ] {
      let connection = try HttpTest.RawConnection(path: server.path)
      connection.write(text)
      kept.append(connection)
      #expect(try HttpClient(path: server.path).send("GET", "/").status == 200)
    }
  }

  @Test func `connections beyond the limit are closed, and places become free again`() throws {
    let server = try HttpTestServer { _ in
      { _, responder in responder.answer(HttpResponse(status: 200, body: [])) }
    }
    defer { server.stop() }
    var kept: [HttpTest.RawConnection] = []
    for _ in 0..<HttpLimits.connections + 10 {
      kept.append(try HttpTest.RawConnection(path: server.path))
    }
    #expect(HttpTest.eventually { server.counters.refused == 10 })
    kept.removeAll()
    #expect(HttpTest.eventually { server.counters.connections == 0 })
    #expect(try HttpClient(path: server.path).send("GET", "/").status == 200)
  }

  @Test func `TCP on the loopback address serves curl, on one connection too`() throws {
    let server = try HttpTestServer(tcp: true) { _ in
      { request, responder in
        responder.answer(
          HttpResponse(status: 200, contentType: "text/plain", body: Array(request.path.utf8)))
      }
    }
    defer { server.stop() }
    let base = "http://127.0.0.1:\(server.tcpPort)"
    let curl = try HttpTest.run(
      "curl", ["-sS", "\(base)/a", "\(base)/b", "-w", "%{num_connects} "])
    #expect(curl.output == "/a1 /b0 ")
    let head = try HttpTest.run("curl", ["-sS", "-I", "\(base)/abc"])
    #expect(head.output.contains("Content-Length: 4"))
  }
}

/// Text waiting for a stream.
private final class Feed {
  private var waiting: [UInt8] = []
  var isOver = false

  func add(_ text: String) { waiting += Array(text.utf8) }

  func next() -> HttpStream.Next {
    if !waiting.isEmpty {
      defer { waiting = [] }
      return .bytes(waiting)
    }
    return isOver ? .end : .wait
  }
}
