import Foundation
import MusterSystem
import Testing

/// A real HTTP server on the loopback interface, in a process of its own, which can misbehave:
/// the first part of the path says how. It notes every request.
final class ReleaseServer {
  private let process: ChildProcess
  private let log: String
  let port: Int

  /// Serves the files of `directory`.
  init(_ directory: String, scratch: Scratch) throws {
    log = scratch("requests-\(UUID().uuidString)")
    process = try spawn("/usr/bin/env", ["python3", "-c", Self.script, directory, log])
    port = try #require(Int(try printed(by: process, lines: 1)[0]))
  }

  deinit { process.signal(SIGKILL) }

  func url(_ manner: String, _ path: String) -> String {
    "http://127.0.0.1:\(port)/\(manner)/\(URL(fileURLWithPath: path).lastPathComponent)"
  }

  /// One line a request: the path, and where the requested range begins.
  var requests: [String] {
    guard let text = try? String(contentsOfFile: log, encoding: .utf8) else { return [] }
    return text.split(separator: "\n").map(String.init)
  }

  private static let script = #"""
    import http.server, os, sys, time
    directory, log = sys.argv[1:3]
    seen = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def log_message(self, *arguments): pass

        def do_GET(self):
            manner, name = self.path.strip("/").split("/")[0], self.path.split("/")[-1]
            range = self.headers.get("Range", "")
            with open(log, "a") as file: file.write(f"{self.path} {range}\n")
            count = seen[self.path] = seen.get(self.path, 0) + 1
            if manner == "redirect": return self.redirect(f"/plain/{name}")
            if manner == "to-file": return self.redirect(f"file://{directory}/{name}")
            if manner == "loop": return self.redirect(self.path)
            if manner == "gone": return self.status(404)
            if manner == "busy" and count <= 2: return self.status(503)
            body = open(os.path.join(directory, name), "rb").read()
            if manner == "wrong" or manner == "changed" and count == 1:
                body = bytes(len(body))
            start = 0
            if range and manner != "no-range":
                start = int(range.removeprefix("bytes=").split("-")[0])
                if start >= len(body): return self.status(416)
            rest = body[start:]
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(body)-1}/{len(body)}")
            if manner == "chunked":
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                self.wfile.write(b"%x\r\n" % len(rest) + rest + b"\r\n0\r\n\r\n")
                return
            self.send_header("Content-Length", str(len(rest)))
            self.end_headers()
            once = manner in ("no-range", "changed") and count == 1
            cuts = manner == "cut" and count <= 3 or once
            if cuts: rest = rest[:len(rest) // 2]
            if manner == "stall" and count == 1:
                self.wfile.write(rest[:len(rest) // 2])
                self.wfile.flush()
                time.sleep(30)
            elif manner == "slow":
                for at in range_of(0, len(rest), 4096):
                    self.wfile.write(rest[at:at + 4096])
                    time.sleep(0.005)
            else:
                self.wfile.write(rest)
            if cuts: self.close_connection = True

        def redirect(self, place):
            self.send_response(302)
            self.send_header("Location", place)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def status(self, code):
            self.send_response(code)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"sad\n")

    range_of = range
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda request, address: None
    print(server.server_address[1], flush=True)
    server.serve_forever()
    """#
}
