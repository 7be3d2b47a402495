import Foundation
import Synchronization
import Testing

/// Archives made by Python's own tarfile and zipfile: good ones, and ones that nobody should
/// unpack.
enum Archives {
  private static let made = Mutex<[String: Data]>([:])

  /// Writes the archive of this kind and returns its path. Each kind is made once.
  static func make(_ kind: String, in scratch: Scratch) throws -> String {
    let path = scratch("\(kind).archive")
    if let archive = made.withLock({ $0[kind] }) {
      try archive.write(to: URL(fileURLWithPath: path))
      return path
    }
    let result = try run("/usr/bin/env", ["python3", "-c", script, kind, path])
    try #require(result.code == 0, "python3 could not make the archive \(kind)")
    let archive = try Data(contentsOf: URL(fileURLWithPath: path))
    made.withLock { $0[kind] = archive }
    return path
  }

  private static let script = #"""
    import io, os, random, subprocess, sys, tarfile, zipfile
    kind, path = sys.argv[1:3]

    def entry(name, type=tarfile.REGTYPE, data=b"", mode=0o644, link=""):
        info = tarfile.TarInfo(name)
        info.type, info.size, info.mode, info.linkname = type, len(data), mode, link
        return info, data

    def tar(entries, form="w:gz"):
        with tarfile.open(path, form, format=tarfile.PAX_FORMAT) as archive:
            for info, data in entries:
                archive.addfile(info, io.BytesIO(data))

    bulk = random.Random(7).randbytes(2_000_000)
    good = [
        entry("./", tarfile.DIRTYPE, mode=0o700),
        entry("./bin/", tarfile.DIRTYPE, mode=0o700),
        entry("./bin/app", data=b"#!/bin/sh\necho 1.0\n", mode=0o4755),
        entry("./bin/latest", tarfile.SYMTYPE, link="app"),
        entry("./bin/second", tarfile.LNKTYPE, link="bin/app"),
        entry("lib/deep/data", data=bulk, mode=0o600),
        entry("lib/up", tarfile.SYMTYPE, link="../bin/app"),
        entry("a-b", data=b"x"), entry("a/b", data=b"y"), entry("with space \u00e4", data=b"z"),
        entry("empty", tarfile.DIRTYPE, mode=0o777),
    ]
    forms = {"tar": "w:", "gz": "w:gz", "xz": "w:xz", "bz2": "w:bz2"}
    hostile = {
        "parent": [entry("../escaped", data=b"x")],
        "inner-parent": [entry("a/../../escaped", data=b"x")],
        # To Swift a slash with an accent is another character; to the kernel it is a slash.
        "accented-slash": [entry("a/", tarfile.DIRTYPE), entry("../\u0301escaped", data=b"x")],
        "absolute": [entry("/tmp/muster-escaped", data=b"x")],
        "control": [entry("bin/a\nunpacked 1 1", data=b"x")],
        "link-absolute": [entry("out", tarfile.SYMTYPE, link="/tmp")],
        "link-parent": [entry("a/out", tarfile.SYMTYPE, link="../../tmp")],
        "link-chain": [
            entry("a/b/root", tarfile.SYMTYPE, link="../.."),
            entry("a/b/out", tarfile.SYMTYPE, link="root/../escaped"),
        ],
        "through-link": [
            entry("real", tarfile.DIRTYPE), entry("alias", tarfile.SYMTYPE, link="real"),
            entry("alias/file", data=b"x"),
        ],
        "over-link": [entry("x", tarfile.SYMTYPE, link="y"), entry("x", data=b"x")],
        "hard-out": [entry("x", tarfile.LNKTYPE, link="../../etc/passwd")],
        "hard-absolute": [entry("x", tarfile.LNKTYPE, link="/etc/passwd")],
        "hard-missing": [entry("x", tarfile.LNKTYPE, link="nothing")],
        "hard-to-link": [
            entry("l", tarfile.SYMTYPE, link="nowhere"), entry("x", tarfile.LNKTYPE, link="l")],
        "device": [entry("null", tarfile.CHRTYPE)],
        "block": [entry("disk", tarfile.BLKTYPE)],
        "fifo": [entry("pipe", tarfile.FIFOTYPE)],
        "twice": [entry("x", data=b"1"), entry("x", data=b"2")],
        "deep": [entry("d/" * 70 + "x", data=b"x")],
        "long": [entry("n" * 300, data=b"x")],
        "manifest": [entry("manifest", data=b"x")],
        "empty": [],
        "bomb": [entry("zeros", data=bytes(5_000_000))],
    }
    if kind in forms:
        tar(good, forms[kind])
    elif kind == "zst":
        tar(good, "w:")
        subprocess.run(["zstd", "-q", "--rm", path, "-o", path + ".z"], check=True)
        os.rename(path + ".z", path)
    elif kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for info, data in good:
                if info.type == tarfile.REGTYPE:
                    item = zipfile.ZipInfo(info.name.removeprefix("./"))
                    item.external_attr = (0o100000 | info.mode) << 16
                    archive.writestr(item, data)
    elif kind == "zip-parent":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("../escaped", b"x")
    elif kind == "other":
        tar([entry("bin/app", data=b"#!/bin/sh\necho 2.0\n", mode=0o755)])
    elif kind == "no-archive":
        open(path, "wb").write(b"<html>Not found</html>" * 50)
    elif kind == "cut-archive":
        tar(good)
        os.truncate(path, os.path.getsize(path) // 2)
    else:
        tar(hostile[kind])
    """#
}
