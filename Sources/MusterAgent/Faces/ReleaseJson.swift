import MusterProtocol
import MusterReleases
import MusterState

extension ClusterView {
  /// The published copy of a version that the register names; `nil` when there is none.
  func copy(of version: String) -> ReleaseReference? {
    let named = [body?.current, body?.plan?.reference].compactMap { $0 } + (body?.published ?? [])
    return named.first { $0.version == version }
  }

  /// One word: what a version is to the cluster.
  func standing(of version: String) -> String {
    if body?.repair?.corrupt.version == version, body?.repair?.failure.isEmpty ?? false {
      return "in repair"
    }
    if body?.current?.version == version { return "current" }
    if body?.plan?.to.version == version { return "planned" }
    if body?.published.contains(where: { $0.version == version }) ?? false { return "previous" }
    return "known"
  }

  func releaseJson(of source: ReleaseSource) -> [JsonMember] {
    let copy = copy(of: source.version)
    func names(_ isMeant: (MemberView) -> Bool) -> Json {
      .array(
        members.filter { ($0.state == .alive || $0.state == .suspect) && isMeant($0) }
          .map(\.name).sorted().map { .string($0) })
    }
    guard case .object(let announced) = source.json else { preconditionFailure("an object") }
    return announced + [
      JsonMember("standing", .string(standing(of: source.version))),
      JsonMember("directory", .text(copy?.directoryName)),
      JsonMember("digest", .text(copy?.manifest.description)),
      JsonMember("repair", copy.map { .count($0.repair) } ?? .null),
      JsonMember("running", names { $0.running?.version == source.version }),
      JsonMember("corrupt", names { $0.corrupt?.version == source.version }),
    ]
  }

  var repairJson: Json {
    guard let repair = body?.repair else { return .null }
    return [
      "version": .string(repair.corrupt.version),
      "corrupt": .string(repair.corrupt.directoryName), "failure": .text(repair.failure),
    ]
  }

  var collectionJson: Json {
    guard let collection = body?.collection else { return .null }
    return [
      "id": .string(collection.id.description), "version": .text(collection.version),
      "outcome": .text(collection.outcome),
    ]
  }
}

extension ReleaseSource {
  var json: Json {
    [
      "version": .string(version), "source": .string(SourceText.withoutPassword(source)),
      "mirrors": .array(mirrors.map { .string(SourceText.withoutPassword($0)) }),
      "sha256": .string(archive.description), "minisign": .text(signer),
      "unpacked": unpackedBytes == 0 ? .null : .count(unpackedBytes),
    ]
  }
}

extension Manifest {
  func json(in view: ClusterView) -> Json {
    var files = 0
    var bytes: UInt64 = 0
    for case .file(_, let size, _) in entries.map(\.content) {
      files += 1
      bytes += size
    }
    return [
      "entries": .count(UInt64(entries.count)), "files": .count(UInt64(files)),
      "bytes": .count(bytes), "term": .count(publication.term),
      "fetched_by": .string(view.name(of: publication.node)),
      "fetched_from": .string(publication.source),
    ]
  }
}

extension ReleaseInspection {
  func json(of copy: ReleaseReference) -> Json {
    [
      "version": .string(copy.version), "directory": .string(copy.directoryName),
      "ok": .bool(problemCount == 0), "files": .count(UInt64(files)), "bytes": .count(bytes),
      "problem_count": .count(UInt64(problemCount)),
      "problems": .array(
        problems.map { ["path": .string($0.path), "reason": .string($0.reason)] }),
    ]
  }
}
