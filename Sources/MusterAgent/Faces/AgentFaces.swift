import MusterState
import MusterSystem

/// The agent's faces: the control socket, and the read-only HTTP address when one is wanted.
package final class AgentFaces {
  private unowned let interior: any AgentInterior
  private let waits: WaitDesk
  private let control: ControlFace
  private let served: ServedReleases?
  private var controlServer: HttpServer?
  private var page: PublicFace?
  private var pageServer: HttpServer?

  /// Serves from now on.
  ///
  /// - Parameters:
  ///   - interior: must outlive the faces.
  ///   - controlSocket: the path of the control socket; mode 0600.
  ///   - http: where the read-only HTTP face listens; port 0 lets the kernel choose.
  ///   - served: releases that it hands on to others.
  /// - Throws: `HttpError` that names the address; nothing listens then.
  package init(
    interior: any AgentInterior, loop: EventLoop, controlSocket: String, http: Address?,
    served: ServedReleases? = nil
  ) throws(HttpError) {
    self.interior = interior
    self.served = served
    waits = WaitDesk(loop: loop, interior: interior)
    control = ControlFace(interior: interior, waits: waits)
    do throws(HttpError) {
      let controlRouter = control.router
      controlServer = try HttpServer(loop: loop, listener: try .unix(controlSocket)) {
        controlRouter.serve($0, $1)
      }
      if let http {
        let page = PublicFace(interior: interior, served: served) { [unowned self] in self.metrics }
        self.page = page
        let router = page.router
        pageServer = try HttpServer(
          loop: loop, listener: try .tcp(host: http.hostDescription, port: http.port)
        ) { router.serve($0, $1) }
      }
    } catch {
      close()
      throw error
    }
  }

  /// The port of the HTTP face; `nil` without one.
  package var httpPort: UInt16? { pageServer?.port }

  /// Ends every connection and removes the control socket. Answers that are given already are
  /// still written. Not to be called from within an answer to `AgentInterior.submit`.
  package func close() {
    waits.close()
    controlServer?.close()
    controlServer = nil
    pageServer?.close()
    pageServer = nil
  }

  private var metrics: MetricsText {
    var counted: [(name: String, counters: HttpCounters)] = []
    if let controlServer { counted.append(("control", controlServer.counters)) }
    if let pageServer { counted.append(("http", pageServer.counters)) }
    return Metrics(
      view: interior.view, history: interior.history, usage: .read(), faces: counted,
      overflow: interior.overflow, served: served?.counters
    ).text
  }
}
