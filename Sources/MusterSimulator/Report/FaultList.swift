/// The faults that somebody asks for by name: `partition,crash`.
package struct FaultList: Hashable, Sendable {
  package var faults: Set<Swarm.Fault>

  package init(_ faults: Set<Swarm.Fault>) { self.faults = faults }

  /// A name that is none; `description` lists them all.
  package struct Unknown: Error, Hashable, Sendable, CustomStringConvertible {
    package var name: String
    package var description: String {
      "\"\(name)\" is no fault; there are "
        + Swarm.Fault.allCases.map(\.rawValue).joined(separator: ", ") + ", or none"
    }
  }

  package static func read(_ text: String) throws(Unknown) -> FaultList {
    if text == "none" { return FaultList([]) }
    var faults: Set<Swarm.Fault> = []
    for word in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let fault = Swarm.Fault(rawValue: String(word)) else {
        throw Unknown(name: String(word))
      }
      faults.insert(fault)
    }
    return FaultList(faults)
  }
}

extension Swarm.Options {
  /// Every seed has these faults, and no others.
  package mutating func take(_ list: FaultList) {
    faults = list.faults
    certain = list.faults
  }
}
