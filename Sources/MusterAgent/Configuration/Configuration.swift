import MusterState
import MusterSystem

/// What `muster.yaml` holds: options of the agent, and the services.
///
/// Everything may be left out but `roles` and `command` of a service; what is shown here for the
/// other keys of a service, from `interval` on, is what holds without them.
///
///     name: ci/0
///     bind: 192.0.2.1:7946
///     join: [192.0.2.2:7946]
///     log-level: info
///     services:
///       web:
///         roles: [web]
///         command: [caddy, run, --config, Caddyfile]
///         environment: {XDG_DATA_HOME: "{{work.directory}}"}
///         templates:                      # rendered into the work directory
///           - source: Caddyfile.template  # relative to this file
///             target: Caddyfile           # relative to the work directory
///             on-change: reload           # or restart, which is what holds without it
///         version: [caddy, version]
///         drain: {command: [sh, -c, "rm healthy; sleep 2"], limit: 10s}
///         ready:                          # exec: [COMMAND…], tcp: ADDRESS:PORT, or
///           http: "http://{{node.host}}:8080/health"
///           interval: 1s
///           timeout: 1s
///           retries: 3
///           start-period: 30s
///         stop: {signal: TERM, limit: 10s}
///         restart: {policy: always, back-off-minimum: 500ms, back-off-maximum: 30s}
///         reload: {signal: HUP}           # or {command: [COMMAND…], limit: 10s}
package struct Configuration: Hashable, Sendable {
  package let options: ConfiguredOptions
  /// Sorted by name.
  package let services: [ServiceDefinition]

  /// Reads the file at `path` and the templates that it names, relative to its directory. Blocks.
  ///
  /// - Throws: `ConfigurationError` with every mistake.
  package init(path: String) throws(ConfigurationError) {
    var reader = ConfigurationReader(path: path)
    let root = Self.read(path, &reader)
    let fields =
      root.map {
        reader.fields(
          $0, "the configuration", allowed: ConfigurationReader.optionKeys + ["services"])
      } ?? [:]
    let options = reader.options(fields)
    let services =
      fields["services"].map { reader.services($0, directory: Self.directory(of: path)) } ?? []
    guard reader.problems.isEmpty else {
      throw ConfigurationError(
        reader.problems.sorted { left, right in
          guard left.path == right.path else { return left.path == path }
          return (left.place ?? .start) < (right.place ?? .start)
        })
    }
    self.options = options
    self.services = services
  }

  /// What is wrong with the file at `path`; empty when nothing is. For `muster config check`.
  package static func check(path: String) -> [ConfigurationProblem] {
    do throws(ConfigurationError) {
      _ = try Configuration(path: path)
      return []
    } catch {
      return error.problems
    }
  }

  /// The top of the document; `nil` when it is empty or cannot be read, which is noted.
  private static func read(_ path: String, _ reader: inout ConfigurationReader) -> YamlNode? {
    do throws(SystemError) {
      guard let text = try Files.read(path, limit: YamlDocument.maximumBytes) else {
        reader.note(nil, "there is no such file; check the path")
        return nil
      }
      do throws(YamlError) {
        return try YamlDocument(text).root
      } catch {
        reader.note(error.place, error.problem)
      }
    } catch {
      reader.note(nil, "cannot be read: \(error.reason); check the path and its mode")
    }
    return nil
  }

  private static func directory(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "" : String(path[..<slash])
  }
}

extension YamlPlace {
  fileprivate static let start = YamlPlace(line: 1, column: 1)
}
