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
    dependencies: [
        .package(name: "lamina", path: ".."),
        // Without its counting of allocations, which needs a library of its own.
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
    ],
    targets: [
        program("extraction-floor", ["LaminaCodec", "LaminaSystem", "LaminaCore"]),
        program("mount-client", ["LaminaSystem", "LaminaCore"]),
        program("mount-floor", ["LaminaSystem", "LaminaCore"]),
        program("union-lookups", ["LaminaUnion", "LaminaIndex", "LaminaSystem", "LaminaCore"]),
        .target(
            name: "Control",
            linkerSettings: ["crypto", "isal", "lz4", "sqlite3", "z", "zstd"].map { .linkedLibrary($0) }),
        // The plugin wants the directory right here.
        .executableTarget(
            name: "Parts",
            dependencies: [
                "Control", .product(name: "Benchmark", package: "benchmark"),
                .product(name: "LaminaCodec", package: "lamina"),
                .product(name: "LaminaIndex", package: "lamina"),
                .product(name: "LaminaUnion", package: "lamina"),
                .product(name: "LaminaCatalog", package: "lamina"),
            ], path: "Parts", swiftSettings: strict,
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
    ]
)
