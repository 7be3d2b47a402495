import Glibc
import MusterSystem
import Testing

/// Web servers over TLS whose certificates are good, expired, another host's, and of an authority
/// that nobody has heard of. The good authority's is in `authority`.
final class TlsServer {
  private let process: ChildProcess
  let authority: String
  private let folder: TemporaryFolder

  /// Serves the files of `directory`.
  init(_ directory: String) throws {
    folder = try TemporaryFolder()
    authority = "\(folder.path)/ca.pem"
    try folder.write("make", Self.certificates)
    try folder.write("serve", Self.script)
    let made = try ChildProcess(
      program: "/bin/sh", arguments: ["\(folder.path)/make"],
      environment: ChildProcess.inheritedEnvironment, directory: folder.path, output: .inherited,
      diesWithThread: false)
    let status = made.waitForExit()
    try #require(status.isSuccess)
    process = try ChildProcess(
      program: "/usr/bin/env", arguments: ["python3", "\(folder.path)/serve", directory],
      environment: ChildProcess.inheritedEnvironment, directory: folder.path, output: .inherited,
      diesWithThread: false)
    let place = folder
    let hasStarted = EndToEndCluster.eventually { place.read("ports") != nil }
    try #require(hasStarted)
  }

  deinit { process.signal(SIGKILL) }

  func url(_ kind: String, _ file: String) throws -> String {
    let lines = try #require(folder.read("ports")).split(separator: "\n")
    let line = try #require(lines.first { $0.hasPrefix("\(kind) ") })
    return "https://127.0.0.1:\(line.split(separator: " ")[1])/\(file)"
  }

  private static let certificates = """
    set -e
    exec 2>make.log
    curve="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    for ca in ca stranger; do
      openssl req -x509 $curve -keyout $ca.key -out $ca.pem -days 2 -subj "/CN=$ca"
    done
    certify() {
      openssl req $curve -keyout $1.key -out $1.csr -subj /CN=$1
      echo "subjectAltName=$3" >$1.ext
      openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial -days $4 \\
        -extfile $1.ext -out $1.pem
    }
    certify good ca IP:127.0.0.1 2
    certify expired ca IP:127.0.0.1 -1
    certify elsewhere ca DNS:elsewhere.example 2
    certify unknown stranger IP:127.0.0.1 2
    """

  private static let script = #"""
    import functools, http.server, os, ssl, sys, threading
    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,),
                 {"log_message": lambda *arguments: None})
    lines = []
    for kind in ("good", "expired", "elsewhere", "unknown"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{kind}.pem", f"{kind}.key")
        server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(quiet, directory=sys.argv[1]))
        server.handle_error = lambda *arguments: None
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False)
        lines.append(f"{kind} {server.server_address[1]}\n")
        threading.Thread(target=server.serve_forever).start()
    with open("ports.new", "w") as file: file.writelines(lines)
    os.rename("ports.new", "ports")
    """#
}
