import Testing

/// Releases over https, from real servers with certificates of an authority of the operator's own.
@Suite struct EndToEndTlsTests {
  private func cluster(_ server: (EndToEndCluster) throws -> TlsServer, trusts: Bool) throws -> (
    EndToEndCluster, TlsServer
  ) {
    let cluster = try EndToEndCluster(expect: 1)
    let server = try server(cluster)
    if trusts { cluster.variables["SSL_CERT_FILE"] = server.authority }
    try cluster.start(0)
    #expect(try EndToEndCluster.eventually { try cluster.ask(0, "status").code == 0 })
    try cluster.told(0, "wait", "--leader", "--timeout", "30s")
    return (cluster, server)
  }

  private func want(
    _ version: String, _ kind: String, of server: TlsServer, in cluster: EndToEndCluster
  ) throws {
    try cluster.pack(version)
    let archive = "\(version).tar.gz"
    let sum = try cluster.run("/usr/bin/sha256sum", [cluster.at(archive)]).output.prefix(64)
    try cluster.told(
      0, "release", "add", version, "--source", try server.url(kind, archive), "--sha256",
      String(sum))
    try cluster.told(0, "set", "--cluster", "version", version)
  }

  @Test func `an authority that the operator names is trusted, and nothing else is`() throws {
    let (cluster, server) = try cluster({ try TlsServer($0.folder.path) }, trusts: true)
    try want("1.0", "good", of: server, in: cluster)
    try cluster.told(0, "wait", "--version", "1.0", "--timeout", "60s")
    for (index, (kind, reason)) in [
      ("unknown", "unable to get local issuer certificate"),
      ("expired", "certificate has expired"), ("elsewhere", "target host name '127.0.0.1'"),
    ].enumerated() {
      try want("2.\(index)", kind, of: server, in: cluster)
      #expect(
        EndToEndCluster.eventually { cluster.log(0).contains(reason) },
        "\(kind): \(cluster.log(0).suffix(900))")
      try cluster.told(0, "wait", "--version", "1.0", "--timeout", "20s")
    }
    #expect(cluster.log(0).contains("name the file with its certificate in SSL_CERT_FILE"))
    #expect(try cluster.run("/bin/ls", [cluster.at("shared/releases")]).output.hasPrefix("1.0-"))
  }

  @Test func `without it only the authorities of the system are trusted`() throws {
    let (cluster, server) = try cluster({ try TlsServer($0.folder.path) }, trusts: false)
    try want("1.0", "good", of: server, in: cluster)
    #expect(
      EndToEndCluster.eventually {
        cluster.log(0).contains("unable to get local issuer certificate")
      }, "\(cluster.log(0).suffix(900))")
  }
}
