/// Every bound of a manifest; what exceeds one is refused, both when written and when read.
enum ManifestLimits {
  /// Files, links and directories. An archive has at most as many entries, but its directories
  /// need not be among them.
  static let entries = 200_000
  static let bytes = 32 << 20
  static let pathBytes = 1_024
  static let nameBytes = 255
  static let depth = 64
  static let sourceBytes = 4_096
}
