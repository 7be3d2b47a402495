import Glibc
import MusterSystem
import Testing

/// A peer that hands on a published release, well or badly: the first part of the path says how.
final class PeerServer {
  private let process: ChildProcess
  let port: Int

  /// Serves the release in `directory`.
  init(_ directory: String) throws {
    process = try spawn("/usr/bin/env", ["python3", "-c", Self.script, directory])
    port = try #require(Int(try printed(by: process, lines: 1)[0]))
  }

  deinit { process.signal(SIGKILL) }

  func url(_ manner: String) -> String { "http://127.0.0.1:\(port)/\(manner)" }

  private static let script = #"""
    import hashlib, http.server, pathlib, sys, time
    root = pathlib.Path(sys.argv[1])
    files = {hashlib.sha256(path.read_bytes()).hexdigest(): path.read_bytes()
             for path in root.rglob("*") if path.is_file() and not path.is_symlink()}
    seen = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def log_message(self, *arguments): pass

        def do_GET(self):
            manner, name = self.path.strip("/").split("/")[0], self.path.split("/")[-1]
            count = seen[self.path] = seen.get(self.path, 0) + 1
            if manner == "gone" or manner == "without" and name != "manifest":
                return self.status(404)
            if manner == "busy" or manner == "busy-at-first" and count <= 2:
                return self.status(503)
            if manner == "redirect":
                self.send_response(302)
                self.send_header("Location", self.path.replace("redirect", "good"))
                self.send_header("Content-Length", "0")
                return self.end_headers()
            body = (root / "manifest").read_bytes() if name == "manifest" else files.get(name)
            if body is None: return self.status(404)
            if manner == "other" and name == "manifest":
                body = body.replace(b"version 1", b"version 2")
            length = len(body)
            if name != "manifest" and length > 1000:
                if manner == "flipped":
                    body = body[:999] + bytes([body[999] ^ 1]) + body[1000:]
                if manner == "cut": body = body[:500]
                if manner == "short": body = body[:500]; length = 500
                if manner == "long": body += b"more"; length += 4
            self.send_response(200)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            if manner == "slow" and name != "manifest":
                for at in range(0, len(body), 1000):
                    self.wfile.write(body[at:at + 1000])
                    time.sleep(0.2)
            else:
                self.wfile.write(body)
            if manner == "cut": self.close_connection = True

        def status(self, code):
            self.send_response(code)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"sad\n")

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda request, address: None
    print(server.server_address[1], flush=True)
    server.serve_forever()
    """#
}
