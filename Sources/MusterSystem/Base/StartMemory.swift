import CLinux

/// Memory that only the start of a process needed.
package enum StartMemory {
  /// Gives back what was read of the program and its libraries, and what is free of the heap: the
  /// code that an idle daemon runs is a small part of what its start touched.
  package static func giveBack() { muster_give_back_memory() }
}
