import MusterSystem

extension RenderedService {
  /// Makes the work directory and brings every rendered file in it up to date. A file that is
  /// right already is not touched.
  func writeFiles() throws(ServiceFailure) {
    do throws(SystemError) {
      try Files.makeDirectory(workDirectory, mode: 0o700)
      for file in files { try write(file) }
    } catch {
      throw ServiceFailure("\(error)")
    }
  }

  private func write(_ file: File) throws(SystemError) {
    let path = "\(workDirectory)/\(file.target)"
    let content = Array(file.content.utf8)
    if let slash = file.target.lastIndex(of: "/") {
      try Files.makeDirectory("\(workDirectory)/\(file.target[..<slash])", mode: 0o700)
    }
    let old = try? Files.read(path, limit: Template.maximumBytes)
    if old != content { try WorkFiles.write(content, to: path) }
  }
}
