// swift-tools-version: 6.2
// Benchmarks are a package of their own: what only they need never reaches who builds Lamina.
import PackageDescription

let package = Package(
    name: "lamina-benchmarks",
    dependencies: [.package(name: "lamina", path: "..")],
    targets: [
        .executableTarget(
            name: "extraction-floor",
            dependencies: [
                .product(name: "LaminaCodec", package: "lamina"),
                .product(name: "LaminaSystem", package: "lamina"),
                .product(name: "LaminaCore", package: "lamina"),
            ],
            swiftSettings: [
                .swiftLanguageMode(.v6), .strictMemorySafety(), .treatAllWarnings(as: .error),
                .enableUpcomingFeature("ExistentialAny"), .enableExperimentalFeature("Lifetimes"),
            ])
    ]
)
