// swift-tools-version: 6.2
// Benchmarks are a package of their own: what only they need never reaches who builds Lamina.
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .strictMemorySafety(), .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"), .enableExperimentalFeature("Lifetimes"),
]

func program(_ name: String, _ modules: [String]) -> Target {
    .executableTarget(
        name: name, dependencies: modules.map { .product(name: $0, package: "lamina") }, swiftSettings: strict
    )
}

let package = Package(
    name: "lamina-benchmarks",
    dependencies: [.package(name: "lamina", path: "..")],
    targets: [
        program("extraction-floor", ["LaminaCodec", "LaminaSystem", "LaminaCore"]),
        program("mount-client", ["LaminaSystem", "LaminaCore"]),
        program("mount-floor", ["LaminaSystem", "LaminaCore"]),
        program("union-lookups", ["LaminaUnion", "LaminaIndex", "LaminaSystem", "LaminaCore"]),
    ]
)
