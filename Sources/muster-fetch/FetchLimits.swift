/// Every bound of one fetch.
enum FetchLimits {
  /// The largest archive, unless `--max-bytes` says otherwise.
  static let archiveBytes: UInt64 = 4 << 30
  /// The most that an archive may unpack to, unless `--max-unpacked` says otherwise.
  static let unpackedBytes: UInt64 = 16 << 30
  /// Files, directories and links of one archive, unless `--max-entries` says otherwise.
  static let entries = 100_000
  /// The longest path of an entry, and of a link's target, in bytes.
  static let pathBytes = 1_024
  /// The longest name, in bytes, and the deepest nesting of directories.
  static let nameBytes = 255
  static let depth = 64

  /// Attempts in a row that bring nothing new, unless `--attempts` says otherwise.
  static let fruitlessAttempts = 6
  /// The same while there is another mirror.
  static let attemptsBeforeMirror = 2
  /// Attempts in all, however much each brings.
  static let attempts = 64
  /// The wait before the second attempt; it doubles up to the longest.
  static let firstBackoff = 0.25
  static let longestBackoff = 8.0

  /// Seconds for a connection, TLS included.
  static let connectSeconds = 15
  /// Seconds below `stallBytesPerSecond` after which an attempt is given up, unless
  /// `--stall` says otherwise.
  static let stallSeconds = 30
  static let stallBytesPerSecond = 1_024
  static let redirects = 10
  /// Seconds between two progress lines.
  static let progressSeconds = 0.2
  /// Seconds over which the rate is taken.
  static let rateSeconds = 5.0
  /// The largest signature file.
  static let signatureBytes = 4_096
}
