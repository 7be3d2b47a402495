/// Why no server listens, or why a request has no answer.
package enum HttpError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The address is in use by a living process. Nothing was changed.
  case addressInUse(String)
  /// The address is not one that this machine can listen on. Nothing was changed.
  case cannotListen(String, reason: String)
  /// Something that is no socket is at the socket's path; it was left alone.
  case notASocket(String)
  /// The library has no memory or descriptors left. Nothing was changed.
  case noResources

  /// Nobody answers on the socket. Nothing was sent.
  case nobodyListens(path: String, reason: String)
  /// The socket is another user's. Nothing was sent.
  case forbidden(path: String)
  /// The connection ended before the answer did: the request may have been carried out.
  case brokenOff(String)
  /// No answer within the time limit: the request may have been carried out.
  case timedOut
  /// The answer is not HTTP/1.1, or beyond a limit. The request may have been carried out.
  case malformed(String)

  package var description: String {
    switch self {
    case .addressInUse(let address):
      "\(address) is in use: stop the process that listens there, or choose another address"
    case .cannotListen(let address, let reason):
      "cannot listen on \(address): \(reason)"
    case .notASocket(let path):
      "\(path) exists and is no socket: remove it, or choose another path"
    case .noResources:
      "no memory or descriptors left for an HTTP server: raise the limit of open files"
    case .nobodyListens(let path, let reason):
      "no agent listens on \(path) (\(reason)): start it with `muster agent`, or name its socket "
        + "with --control or MUSTER_CONTROL"
    case .forbidden(let path):
      "\(path) belongs to another user: run this command as the agent's user or as root"
    case .brokenOff(let reason):
      "the agent ended the connection early (\(reason)): look whether it still runs, and try again"
    case .timedOut:
      "the agent did not answer in time: look whether it still runs, and try again"
    case .malformed(let what):
      "the answer is not from a Muster agent (\(what)): check the path of the control socket"
    }
  }
}
