// swift-tools-version: 6.2
// The modules and their one-way imports: docs/ARCHITECTURE.md, "Modules".
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableExperimentalFeature("Lifetimes"),
]

func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

let package = Package(
    name: "lamina",
    products: [
        // For Benchmarks/, a package of its own.
        .library(name: "LaminaCore", targets: ["LaminaCore"]),
        .library(name: "LaminaSystem", targets: ["LaminaSystem"]),
        .library(name: "LaminaCodec", targets: ["LaminaCodec"]),
        .library(name: "LaminaIndex", targets: ["LaminaIndex"]),
        .library(name: "LaminaUnion", targets: ["LaminaUnion"]),
        .library(name: "LaminaCatalog", targets: ["LaminaCatalog"]),
        // For programs that do without the command line.
        .library(name: "LaminaEngine", targets: ["LaminaEngine"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ],
    targets: [
        // System libraries from Debian packages, and the only C code of the project: CLinux, CSHA256.
        .systemLibrary(
            name: "CFuse3", pkgConfig: "fuse3", providers: [.apt(["libfuse3-dev"])]),
        .systemLibrary(
            name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(
            name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(
            name: "CISAL", pkgConfig: "libisal", providers: [.apt(["libisal-dev"])]),
        .systemLibrary(
            name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(name: "CLinux"),
        .target(name: "CSHA256"),

        module("LaminaCore", [.product(name: "SystemPackage", package: "swift-system")]),
        module("LaminaSystem", ["LaminaCore", "CLinux"]),
        module("LaminaCodec", ["LaminaSystem", "CSHA256", "CCrypto", "CISAL", "CZstd", "CLZ4"]),
        module("LaminaStore", ["LaminaCodec"]),
        module("LaminaIndex", ["LaminaCodec"]),
        module("LaminaUnion", ["LaminaIndex"]),
        module("LaminaFuse", ["LaminaUnion", "CFuse3"]),
        module("LaminaCatalog", ["LaminaSystem", .product(name: "GRDB", package: "GRDB.swift")]),
        module("LaminaEngine", ["LaminaCatalog", "LaminaStore", "LaminaIndex"]),
        module(
            "LaminaCommands",
            ["LaminaEngine", .product(name: "ArgumentParser", package: "swift-argument-parser")]),
        .executableTarget(
            name: "lamina-mountd", dependencies: ["LaminaFuse"], path: "Tools/lamina-mountd",
            swiftSettings: strict,
            // One process a mount: without the parts of Swift's libraries that it does not use, 3 MiB less
            // are resident, and there are ten files fewer to load before it serves.
            linkerSettings: [.unsafeFlags(["-static-stdlib"], .when(configuration: .release))]),
        .executableTarget(
            name: "lamina", dependencies: ["LaminaCommands"], path: "Tools/lamina", swiftSettings: strict),
        // The program of LaminaEngine's article.
        .executableTarget(
            name: "load-and-mount", dependencies: ["LaminaEngine"], path: "docs/examples/load-and-mount",
            swiftSettings: strict),

        .target(
            name: "LaminaTestSupport", dependencies: ["LaminaUnion"], path: "Tests/LaminaTestSupport",
            swiftSettings: strict),
        .target(
            name: "TreeModel", dependencies: ["LaminaTestSupport"], path: "Tests/TreeModel",
            swiftSettings: strict),
        .target(
            name: "FuzzTargets", dependencies: ["LaminaIndex"], path: "Tests/FuzzTargets",
            swiftSettings: strict),
        tests("LaminaCoreTests", ["LaminaCore"]),
        tests("LaminaSystemTests", ["LaminaSystem"]),
        tests("LaminaCodecTests", ["LaminaCodec", "LaminaTestSupport"], exclude: ["Corpus"]),
        tests("LaminaStoreTests", ["LaminaStore", "LaminaTestSupport"]),
        tests("LaminaIndexTests", ["LaminaIndex", "LaminaTestSupport"]),
        tests("LayerTests", ["LaminaStore", "LaminaIndex", "LaminaTestSupport"]),
        tests("FuzzTests", ["FuzzTargets", "LaminaIndex", "LaminaTestSupport"], exclude: ["Corpus"]),
        tests("LaminaUnionTests", ["LaminaUnion", "LaminaTestSupport"]),
        tests("LaminaFuseTests", ["LaminaFuse", "LaminaTestSupport"]),
        tests("LaminaCatalogTests", ["LaminaCatalog"]),
        tests("LaminaEngineTests", ["LaminaEngine", "LaminaTestSupport"]),
        tests("PackageTests", ["lamina-mountd"]),
        tests("MountTests", ["LaminaTestSupport", "lamina-mountd"]),
        tests("DifferentialTests", ["TreeModel", "lamina-mountd"]),
        tests("CrashTests", ["TreeModel", "lamina-mountd"]),
        tests("ConcurrencyTests", ["TreeModel", "LaminaUnion", "lamina-mountd"]),
        tests(
            "CommandTests", ["LaminaEngine", "TreeModel", "lamina", "lamina-mountd", "load-and-mount"]),
    ]
)
