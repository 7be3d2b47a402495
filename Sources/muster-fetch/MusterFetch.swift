import CCurl
import Glibc

/// Fetches one archive and unpacks it into a staging directory, in a process of its own: no
/// parser of foreign bytes runs where the keys are, and the agent stays small.
///
/// It speaks on standard output, one line each: `progress RECEIVED TOTAL RATE` (0: unknown),
/// `retrying SECONDS MESSAGE`, `peer NUMBER MESSAGE` for one that is not asked again, and last
/// `unpacked FILES BYTES` or `failed CLASS MESSAGE`. Of an index it says `index KEY VALUE` for each
/// line that it understands, and last `indexed`.
@main
enum MusterFetch {
  static func main() {
    if CommandLine.arguments.dropFirst().contains("--help") {
      Report.text(FetchRequest.usage)
      exit(0)
    }
    prepareProcess()
    do throws(FetchFailure) {
      let arguments = Array(CommandLine.arguments.dropFirst())
      if arguments.contains("--peer") {
        let contents = try CopyDownload(try CopyRequest(arguments: arguments)).run()
        Report.line("unpacked \(contents.files) \(contents.bytes)")
        return
      }
      if arguments.contains("--index") {
        for line in try IndexRequest(arguments: arguments).run() { Report.line("index \(line)") }
        Report.line("indexed")
        return
      }
      let request = try FetchRequest(arguments: arguments)
      let source = try ArchiveDownload(request).run()
      if let signer = request.signer { try signer.check(request.archive, from: source) }
      try Space.check(request, archiveBytes: 0, isComplete: true)
      var unpacking = Unpacking(request)
      let contents = try unpacking.run()
      Report.line("unpacked \(contents.files) \(contents.bytes)")
    } catch {
      Report.line("failed \(error.kind.rawValue) \(error.message)")
      exit(1)
    }
  }

  /// A crash leaves no memory image behind; modes do not depend on the caller's umask; names in
  /// archives are UTF-8 whatever the caller's locale is.
  private static func prepareProcess() {
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
    umask(0o022)
    _ = unsafe setlocale(LC_CTYPE, "C.UTF-8")
    signal(SIGPIPE, SIG_IGN)
    curl_global_init(Int(CURL_GLOBAL_DEFAULT))
  }
}
