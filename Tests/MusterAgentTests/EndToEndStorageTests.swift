import Glibc
import MusterAgent
import MusterSystem
import Testing

/// What becomes of a node whose shared directory is not what it should be: real mounts, in a
/// mount namespace of the node's own.
@Suite(.enabled(if: getuid() == 0, "mount namespaces need root")) struct EndToEndStorageTests {
  /// A storage state must be seen everywhere within this many seconds.
  private static let seen: Int64 = 30

  private func storage(of name: String, seenBy node: Int, in cluster: EndToEndCluster) throws
    -> String
  {
    let members = try cluster.ask(node, "members", "--json").json().array ?? []
    return members.first { $0["name"]?.string == name }?["storage"]?.string ?? ""
  }

  private func becomes(
    _ word: String, _ name: String, seenBy node: Int, in cluster: EndToEndCluster
  ) throws -> Bool {
    try EndToEndCluster.eventually(within: Self.seen) {
      try storage(of: name, seenBy: node, in: cluster).hasPrefix(word)
    }
  }

  @Test func `a share that is unmounted under a running node is lost, and found again`() throws {
    let cluster = try EndToEndCluster(expect: 2)
    let view = cluster.at("view")
    try Files.makeDirectory(view, mode: 0o755)
    try cluster.start(0)
    let mount = "mount --bind \(cluster.at("shared")) \(view)"
    try cluster.start(1, ["--shared": view], mounting: mount)
    #expect(try EndToEndCluster.eventually { try cluster.ask(0, "status").code == 0 })
    try cluster.told(0, "wait", "--leader", "--timeout", "20s")
    try cluster.announce("1.0", by: 0)
    try cluster.told(0, "set", "--cluster", "version", "1.0")
    try cluster.told(0, "wait", "--version", "1.0", "--timeout", "30s")
    #expect(try becomes("ready", "ci/1", seenBy: 0, in: cluster))

    let pid = "\(try cluster.pid(1))"
    let services = try cluster.services(1)
    let unmounted = try cluster.run(
      "/usr/bin/env", ["nsenter", "-m", "-t", pid, "umount", "-l", view])
    #expect(unmounted.code == 0, "\(unmounted.errors)")
    #expect(try becomes("lost: check the mount", "ci/1", seenBy: 0, in: cluster))
    #expect(try cluster.services(1) == services, "what runs, runs on")
    let status = try cluster.told(0, "status").output
    #expect(status.contains("not ready: ci/1 lost"), "\(status)")
    let beneath = try cluster.run("/bin/ls", ["-A", view]).output
    #expect(beneath.isEmpty, "nothing is written to the disk beneath: \(beneath)")

    let mounted = try cluster.run(
      "/usr/bin/env",
      ["nsenter", "-m", "-t", pid, "mount", "--bind", cluster.at("shared"), view])
    #expect(mounted.code == 0, "\(mounted.errors)")
    #expect(try becomes("ready", "ci/1", seenBy: 0, in: cluster))
  }

  @Test func `a worker runs from a read-only mount, and says that it is one`() throws {
    let cluster = try EndToEndCluster(expect: 1)
    let view = cluster.at("view")
    try Files.makeDirectory(view, mode: 0o755)
    try cluster.start(0)
    #expect(try EndToEndCluster.eventually { try cluster.ask(0, "status").code == 0 })
    try cluster.told(0, "wait", "--leader", "--timeout", "20s")
    try cluster.announce("1.0", by: 0)
    try cluster.told(0, "set", "--cluster", "version", "1.0")
    try cluster.start(
      1, ["--shared": view, "--join": cluster.address(0)],
      mounting: "mount --bind -o ro \(cluster.at("shared")) \(view)")
    #expect(try becomes("read-only: mount", "ci/1", seenBy: 0, in: cluster))
    try cluster.told(0, "wait", "--members", "2", "--version", "1.0", "--timeout", "30s")
  }

  @Test func `two nodes with different directories do not share one`() throws {
    let cluster = try EndToEndCluster(expect: 1)
    try Files.makeDirectory(cluster.at("elsewhere"), mode: 0o755)
    try cluster.start(0)
    #expect(try EndToEndCluster.eventually { try cluster.ask(0, "status").code == 0 })
    try cluster.told(0, "wait", "--leader", "--timeout", "20s")
    try cluster.announce("1.0", by: 0)
    try cluster.told(0, "set", "--cluster", "version", "1.0")
    try cluster.told(0, "wait", "--version", "1.0", "--timeout", "30s")
    try cluster.start(1, ["--shared": cluster.at("elsewhere"), "--join": cluster.address(0)])
    #expect(try becomes("not-shared: mount on", "ci/1", seenBy: 0, in: cluster))
    #expect(try storage(of: "ci/0", seenBy: 0, in: cluster) == "ready")
    #expect(try cluster.services(1).isEmpty)
  }

  @Test func `a small filesystem is full, with its kind and its room`() throws {
    let cluster = try EndToEndCluster(expect: 1)
    let view = cluster.at("view")
    try Files.makeDirectory(view, mode: 0o755)
    try cluster.start(0, ["--shared": view], mounting: "mount -t tmpfs -o size=1m none \(view)")
    #expect(try EndToEndCluster.eventually { try cluster.ask(0, "status").code == 0 })
    #expect(try becomes("full: free some space", "ci/0", seenBy: 0, in: cluster))
    let status = try cluster.told(0, "status", "--json").json()
    #expect(status["storage"]?["state"]?.string == "full")
    #expect(status["storage"]?["volume"]?["type"]?.string == "tmpfs")
    #expect(status["storage"]?["volume"]?["total"]?.integer == 1 << 20)
  }
}
