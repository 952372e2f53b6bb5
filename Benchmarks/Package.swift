// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "sami-benchmarks",
    dependencies: [
        .package(name: "sami", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    ],
    targets: [
        .executableTarget(
            name: "sami-bench",
            dependencies: [
                .product(name: "Tokenizers", package: "sami"),
                .product(name: "Transformers", package: "sami"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
