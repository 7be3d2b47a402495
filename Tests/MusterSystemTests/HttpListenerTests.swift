import Glibc
import MusterSystem
import Testing

@Suite struct HttpListenerTests {
  @Test func `the socket is for its user alone and goes with its listener`() throws {
    let directory = try HttpTest.temporaryDirectory()
    defer { _ = try? HttpTest.run("rm", ["-rf", directory]) }
    let path = directory + "/control"
    func mode() -> UInt32? {
      var status = stat()
      return unsafe stat(path, &status) == 0 ? status.st_mode : nil
    }
    do {
      let listener = try HttpListener.unix(path)
      #expect(listener.port == 0)
      #expect(mode() == S_IFSOCK | 0o600)
    }
    #expect(mode() == nil)
  }

  @Test func `a socket that a dead process left is replaced, a living one's is not`() throws {
    let directory = try HttpTest.temporaryDirectory()
    defer { _ = try? HttpTest.run("rm", ["-rf", directory]) }
    let path = directory + "/control"
    try HttpTest.run(
      "python3",
      ["-c", "import socket,sys; s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1])", path])
    let listener = try HttpListener.unix(path)
    #expect(throws: HttpError.addressInUse(path)) { _ = try HttpListener.unix(path) }
    #expect(listener.port == 0)
  }

  @Test func `what is no socket is left alone`() throws {
    let directory = try HttpTest.temporaryDirectory()
    defer { _ = try? HttpTest.run("rm", ["-rf", directory]) }
    let path = directory + "/file"
    try HttpTest.run("touch", [path])
    #expect(throws: HttpError.notASocket(path)) { _ = try HttpListener.unix(path) }
    #expect(try HttpTest.run("test", ["-f", path]).status == 0)
  }

  @Test func `a bad address is one clear line`() throws {
    let long = "/tmp/" + String(repeating: "x", count: 120)
    #expect(throws: HttpError.self) { _ = try HttpListener.unix(long) }
    #expect(throws: HttpError.self) { _ = try HttpListener.unix("/no/such/directory/socket") }
    #expect(throws: HttpError.self) { _ = try HttpListener.tcp(host: "ci.example", port: 0) }
    let taken = try HttpListener.tcp(host: "127.0.0.1", port: 0)
    #expect(throws: HttpError.addressInUse("127.0.0.1:\(taken.port)")) {
      _ = try HttpListener.tcp(host: "127.0.0.1", port: taken.port)
    }
    let text = "\(HttpError.addressInUse("127.0.0.1:9"))"
    #expect(text.contains("127.0.0.1:9") && text.contains("choose another"))
  }

  @Test(.enabled(if: geteuid() == 0)) func `another user is refused even past the mode`() throws {
    let server = try HttpTestServer { _ in
      { _, responder in responder.answer(HttpResponse(status: 200, body: [])) }
    }
    defer { server.stop() }
    try HttpTest.run("chmod", ["777", server.directory, server.path])
    let other = try HttpTest.run(
      "setpriv",
      [
        "--reuid", "65534", "--clear-groups", "curl", "-sS", "--unix-socket", server.path,
        "http://muster/",
      ])
    #expect(other.status != 0)
    #expect(HttpTest.eventually { server.counters.refused == 1 })
    #expect(server.counters.requests == 0)
  }

  @Test func `a client without an agent is told what to do`() throws {
    let error = #expect(throws: HttpError.self) {
      _ = try HttpClient(path: "/tmp/no-such-socket").send("GET", "/status")
    }
    #expect("\(try #require(error))".contains("muster agent"))
  }
}
