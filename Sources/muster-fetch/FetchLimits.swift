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
  /// Seconds for a connection to a peer, which is near, and seconds below a rate after which
  /// another one is asked.
  static let peerConnectSeconds = 3
  static let peerStallSeconds = 5
  static let peerStallBytesPerSecond = 32 << 10
  /// Seconds for which busy peers are asked again: before anything has come, and later on.
  static let busyPatienceAtFirst = 2.0
  static let busyPatience = 30.0
  static let busyPause = 0.2
  /// Entries of a release that is copied: its directories are among them.
  static let copiedEntries = 200_000
  /// The largest manifest.
  static let manifestBytes = 32 << 20
  /// The largest signature file, and the largest index.
  static let signatureBytes = 4_096
  static let indexBytes = 16_384
}
