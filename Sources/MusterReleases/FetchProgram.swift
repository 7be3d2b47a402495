import MusterSystem
import MusterState

/// One run of `muster-fetch`: its arguments, its few inherited settings, and what it says.
struct FetchProgram {
  let program: String
  let arguments: [String]

  /// What the program needs of our environment: the way out, and whom to trust. Nothing else.
  private static let inherited = [
    "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY",
    "SSL_CERT_FILE", "SSL_CERT_DIR",
  ]
  /// How soon a cancellation is noticed.
  private static let milliseconds: Int32 = 100

  /// Waits for the end of the program; kills it when cancelled.
  ///
  /// - Parameter notice: told each line that is for people; those about peers begin with `peer`
  ///   and the place of the peer among the arguments, those of an index with `index`.
  func run(
    progress: (FetchProgress) -> Void, notice: (String) -> Void, cancellation: Cancellation
  ) throws(StoreError) {
    let child: ChildProcess
    do throws(SystemError) {
      let environment = ChildProcess.inheritedEnvironment.filter {
        Self.inherited.contains($0.key)
      }
      child = try ChildProcess(
        program: program, arguments: arguments, environment: environment,
        output: .pipedWithoutErrors)
    } catch {
      throw .fetch(
        .program, "\(error); muster-fetch belongs into the directory that holds muster")
    }
    // The child is killed with its owner, whatever way this function is left.
    guard let output = child.outputDescriptor else {
      preconditionFailure("a piped child has an output")
    }
    let answer = try conversation(over: output, progress, notice, cancellation)
    let status = child.waitForExit()
    if cancellation.isCancelled { throw .cancelled }
    switch answer {
    case .unpacked where status.isSuccess: return
    case .failed(let problem, let message): throw .fetch(problem, message)
    case .unpacked, nil:
      throw .fetch(.program, "muster-fetch ended with \(status) and did not say why")
    }
  }

  private enum Answer {
    case unpacked
    case failed(StoreError.FetchProblem, String)
  }

  private func conversation(
    over output: Int32, _ progress: (FetchProgress) -> Void, _ notice: (String) -> Void,
    _ cancellation: Cancellation
  ) throws(StoreError) -> Answer? {
    var lines = StoreLines(descriptor: output)
    var answer: Answer?
    while true {
      if cancellation.isCancelled { throw .cancelled }
      let reading: StoreLines.Reading
      do throws(SystemError) {
        reading = try lines.next(milliseconds: Self.milliseconds)
      } catch {
        throw .fetch(.program, "muster-fetch cannot be heard: \(error)")
      }
      switch reading {
      case .nothing: continue
      case .end: return answer
      case .line(let line): answer = Self.read(line, progress, notice) ?? answer
      }
    }
  }

  /// What a line says; words that a newer program may add are passed over.
  private static func read(
    _ line: String, _ progress: (FetchProgress) -> Void, _ notice: (String) -> Void
  ) -> Answer? {
    let words = line.split(separator: " ", maxSplits: 2).map(String.init)
    switch words.first {
    case "progress":
      let numbers = line.split(separator: " ").dropFirst().compactMap { UInt64($0) }
      if numbers.count >= 2 {
        progress(
          FetchProgress(
            received: numbers[0], total: numbers[1], rate: numbers.count > 2 ? numbers[2] : 0))
      }
      return nil
    case "retrying", "peer", "index":
      notice(line)
      return nil
    case "unpacked", "indexed":
      return .unpacked
    case "failed":
      let problem = words.count > 1 ? StoreError.FetchProblem(rawValue: words[1]) : nil
      return .failed(problem ?? .program, words.last ?? line)
    default:
      return nil
    }
  }
}
