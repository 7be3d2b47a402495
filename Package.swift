// swift-tools-version: 6.2
import PackageDescription

// The manifest is the architecture: arrows only point down, and TidyTests hold every room to
// the imports listed here. DESIGN: what merges lives in MusterState, what is derived in
// MusterDecisions, what waits in MusterProtocol, what calls C in MusterSystem.

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

// The simulator runs hours of virtual time in every test: the pure rooms are optimised in debug
// builds too. Preconditions stay.
let pure = strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]

// What tests plant to see that a checker catches it; a release build contains none of it.
let planted = [SwiftSetting.define("MUSTER_PLANTED_BUGS", .when(configuration: .debug))]

let package = Package(
  name: "muster",
  products: [
    .executable(name: "muster", targets: ["muster"]),
    .executable(name: "muster-fetch", targets: ["muster-fetch"]),
  ],
  targets: [
    // Pure rooms.
    .target(name: "MusterState", swiftSettings: pure),
    .target(name: "MusterDecisions", dependencies: ["MusterState"], swiftSettings: pure),
    .target(
      name: "MusterProtocol", dependencies: ["MusterState", "MusterDecisions"],
      swiftSettings: pure + planted + [.enableExperimentalFeature("Lifetimes")]),
    .target(
      name: "MusterSimulator", dependencies: ["MusterState", "MusterDecisions", "MusterProtocol"],
      swiftSettings: pure + planted),
    // What Muster is measured against; nothing that ships knows it.
    .target(
      name: "MusterReference", dependencies: ["MusterProtocol", "MusterSimulator"],
      swiftSettings: pure),

    // C, in safe Swift.
    .target(name: "CLinux"),
    .systemLibrary(
      name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
    .systemLibrary(name: "CYaml", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .systemLibrary(
      name: "CMicrohttpd", pkgConfig: "libmicrohttpd",
      providers: [.apt(["libmicrohttpd-dev"])]),
    .systemLibrary(
      name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(
      name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
    .target(
      name: "MusterSystem", dependencies: ["CLinux", "CSodium", "CYaml", "CMicrohttpd"],
      swiftSettings: strict),

    // The world.
    .target(
      name: "MusterReleases", dependencies: ["MusterState", "MusterSystem"],
      swiftSettings: strict),
    .target(
      name: "MusterAgent",
      dependencies: [
        "MusterState", "MusterDecisions", "MusterProtocol", "MusterSystem", "MusterReleases",
      ],
      swiftSettings: strict),

    // The programs.
    .executableTarget(
      name: "muster", dependencies: ["MusterAgent", "MusterSimulator"], swiftSettings: strict),
    // What one core does with datagrams: `scripts/bench receive` measures it, nothing ships it.
    .executableTarget(
      name: "muster-bench-receive",
      dependencies: ["MusterAgent", "MusterProtocol", "MusterState", "MusterSystem"],
      swiftSettings: strict),
    .executableTarget(
      name: "muster-fetch", dependencies: ["CLinux", "CCurl", "CArchive", "CSodium"],
      swiftSettings: strict),

    .executableTarget(
      name: "muster-bench",
      dependencies: [
        "MusterReference", "MusterSimulator", "MusterProtocol", "MusterState", "MusterSystem",
        "MusterAgent",
      ],
      swiftSettings: strict),

    .testTarget(
      name: "MusterStateTests", dependencies: ["MusterState"], swiftSettings: strict),
    .testTarget(
      name: "MusterDecisionsTests", dependencies: ["MusterDecisions", "MusterState"],
      swiftSettings: strict),
    .testTarget(
      name: "MusterProtocolTests",
      dependencies: ["MusterProtocol", "MusterDecisions", "MusterState", "MusterSimulator"],
      swiftSettings: strict),
    .testTarget(
      name: "MusterSimulatorTests",
      dependencies: ["MusterProtocol", "MusterDecisions", "MusterState", "MusterSimulator"],
      swiftSettings: strict + planted),
    .testTarget(
      name: "MusterReferenceTests",
      dependencies: ["MusterReference", "MusterSimulator", "MusterProtocol", "muster-bench"],
      swiftSettings: strict),
    .testTarget(
      name: "MusterSystemTests", dependencies: ["MusterSystem"], swiftSettings: strict),
    .testTarget(
      name: "MusterReleasesTests",
      dependencies: ["MusterReleases", "MusterState", "MusterSystem", "muster-fetch"],
      swiftSettings: strict),
    .testTarget(
      name: "MusterAgentTests",
      dependencies: [
        "MusterAgent", "MusterProtocol", "MusterState", "MusterDecisions", "MusterSystem",
        "MusterReleases", "MusterSimulator", "muster", "muster-fetch",
      ],
      swiftSettings: strict),
    .testTarget(name: "TidyTests", swiftSettings: strict),
  ]
)
