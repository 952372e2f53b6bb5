// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "sami-benchmarks",
    dependencies: [
        .package(name: "sami", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    ],
    targets: [
        .executableTarget(
            name: "sami-bench",
            dependencies: [
                .product(name: "Transformers", package: "sami"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
