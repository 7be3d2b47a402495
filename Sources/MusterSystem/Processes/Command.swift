/// A program with everything that it is started with.
package struct Command: Hashable, Sendable {
  /// A path; see `ChildProcess`.
  package var program: String
  package var arguments: [String]
  package var environment: [String: String]
  package var directory: String?

  package init(
    program: String, arguments: [String], environment: [String: String],
    directory: String? = nil
  ) {
    self.program = program
    self.arguments = arguments
    self.environment = environment
    self.directory = directory
  }

  /// The first path of `name` in `directories` that may be executed; a name with a slash is a
  /// path already. `nil` when there is none.
  package static func find(_ name: String, in directories: [String]) -> String? {
    if name.utf8.contains(UInt8(ascii: "/")) { return name }
    return directories.lazy.map { "\($0)/\(name)" }.first { isExecutableFile($0) }
  }
}

extension ChildProcess {
  /// Starts `command`; see the other initialiser.
  package convenience init(
    _ command: Command, output: Output = .piped
  ) throws(SystemError) {
    try self.init(
      program: command.program, arguments: command.arguments,
      environment: command.environment, directory: command.directory, output: output)
  }
}
