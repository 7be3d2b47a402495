import Glibc
import MusterAgent
import MusterState
import MusterSystem
import Testing

@Suite struct DriverDurableTests {
  private let scratch: DriverScratch
  private let loop: EventLoop
  private let worker: WorkerThread
  private let file: RegisterFile

  init() throws {
    scratch = try DriverScratch()
    loop = try EventLoop()
    worker = try WorkerThread(loop: loop)
    file = RegisterFile(
      directory: scratch.path, cluster: driverCluster().id, node: NodeID(Bytes16(high: 1, low: 1)))
  }

  private func onDisk() throws -> RegisterFile.Version? {
    try file.read(lastStart: IncarnationFile.Start(counter: 5, register: 0))
  }

  private final class Answers {
    var tickets: [UInt64] = []
    var versions: [RegisterFile.Version?] = []
    var failure: SystemError?
  }

  private func writer(_ answers: Answers) -> DurableWriter {
    DurableWriter(
      file: file, serial: 10, counter: 5, worker: worker,
      persisted: { [self] ticket in
        answers.tickets.append(ticket)
        answers.versions.append(try? onDisk())
      }, failed: { answers.failure = $0 })
  }

  @Test func `a ticket is answered when its bytes are on disk`() throws {
    let answers = Answers()
    let writer = writer(answers)
    writer.write([1, 2], ticket: 7)
    #expect(answers.tickets.isEmpty, "never from within the call")
    #expect(try driverWait(loop) { answers.tickets == [7] })
    #expect(answers.versions == [RegisterFile.Version(serial: 11, content: [1, 2])])
  }

  @Test func `the newest replaces one that has not begun, and both are answered`() throws {
    let answers = Answers()
    let writer = writer(answers)
    for ticket in 1...5 as ClosedRange<UInt64> { writer.write([UInt8(ticket)], ticket: ticket) }
    #expect(try driverWait(loop) { answers.tickets.count == 5 })
    #expect(answers.tickets == [1, 2, 3, 4, 5])
    let first = RegisterFile.Version(serial: 11, content: [1])
    let last = RegisterFile.Version(serial: 12, content: [5])
    // The first had begun; the others went to disk as one.
    #expect(answers.versions.dropFirst().allSatisfy { $0 == last })
    #expect(answers.versions.first == first || answers.versions.first == last)
    #expect(try onDisk() == last)
  }

  @Test func `after an error nothing is answered or written any more`() throws {
    let answers = Answers()
    let writer = writer(answers)
    // A directory in the place of the file cannot be replaced, by root neither.
    try Files.makeDirectory("\(scratch.path)/register", mode: 0o700)
    writer.write([1], ticket: 1)
    writer.write([2], ticket: 2)
    #expect(try driverWait(loop) { answers.failure != nil })
    writer.write([3], ticket: 3)
    try loop.turn(limit: 20_000_000)
    #expect(answers.tickets.isEmpty)
    #expect(answers.failure?.subject == "\(scratch.path)/register")
  }
}
