// swift-tools-version: 6.0
import Foundation
import PackageDescription

// Only numeric code is compiled without bounds and overflow checks. Code that reads a person's
// input keeps its checks. SAMI_ARCH is the processor that numeric code is compiled for, as `clang
// -march` names it: the one that builds (the default), or x86-64-v3 for a program that runs on
// other machines too.
let architecture = Context.environment["SAMI_ARCH"] ?? "native"
let numeric: [SwiftSetting] = [
    .unsafeFlags(
        ["-Ounchecked", "-Xcc", "-march=\(architecture)"], .when(configuration: .release))
]

// The ranks of a session need MPI, in a program of their own. Without it the others are built, and
// `ranks` says what is missing.
let packageFolders =
    (Context.environment["PKG_CONFIG_PATH"] ?? "").split(separator: ":").map(String.init)
    + ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"].map {
        $0 + "/pkgconfig"
    }
let hasMPI = packageFolders.contains { FileManager.default.fileExists(atPath: $0 + "/ompi-c.pc") }

let package = Package(
    name: "sami",
    // The library serves the package beside this one; `.unsafeFlags` rules out other users.
    products: [
        .executable(name: "sami", targets: ["sami"]),
        .library(
            name: "Transformers", targets: ["Tensors", "Layers", "Optimizers", "Transformers"]),
        .library(name: "Tokenizers", targets: ["Tokenizers"]),
    ],
    // Exact versions: two machines build the same program.
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/swhitty/FlyingFox", exact: "0.27.1"),
    ],
    targets: [
        .systemLibrary(
            name: "CBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(
            name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
        .systemLibrary(
            name: "CEditLine", pkgConfig: "libedit", providers: [.apt(["libedit-dev"])]),
        .systemLibrary(
            name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
        .systemLibrary(
            name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZeroMQ", pkgConfig: "libzmq", providers: [.apt(["libzmq3-dev"])]),
        // A header alone: processor instructions that Swift has no name for.
        .systemLibrary(name: "CProcessor"),

        // The leaves: files, JSON and number types, each in one place for all modules.
        .target(name: "Files"),
        .target(name: "JSON"),
        .target(name: "NumberTypes"),
        // llama.cpp's model files: metadata and tensors, whatever they mean.
        .target(name: "GGUF", dependencies: ["Files", "NumberTypes"]),
        // The files of arrays and tables that other programs write: .npy, .csv and .gz.
        .target(name: "DataFiles", dependencies: ["CZlib", "NumberTypes"]),
        // Regular expressions, with a limit on the work of a match.
        .target(name: "Patterns", dependencies: ["CPCRE2"]),
        // Progress and cancellation of long work, for every module that does or shows any.
        .target(name: "LongWork"),
        .target(
            name: "Tensors", dependencies: ["CBLAS", "CProcessor", "NumberTypes"],
            swiftSettings: numeric),
        .target(name: "ChatTemplates", dependencies: ["JSON"]),
        .target(
            name: "Tokenizers",
            dependencies: [
                "ChatTemplates", "CPCRE2", "Files", "GGUF", "JSON", "Patterns",
                .product(name: "HeapModule", package: "swift-collections"),
            ]),
        .target(name: "Worlds"),
        .target(
            name: "Layers", dependencies: ["CProcessor", "LongWork", "NumberTypes", "Tensors"],
            swiftSettings: numeric),
        .target(name: "Optimizers", dependencies: ["Tensors"], swiftSettings: numeric),
        .target(
            name: "Transformers",
            dependencies: [
                "Files", "GGUF", "JSON", "Layers", "LongWork", "NumberTypes", "Optimizers",
                "Tensors",
            ]),
        .target(
            name: "TextModels",
            dependencies: [
                "ChatTemplates", "JSON", "LongWork", "Tensors", "Tokenizers", "Transformers",
            ]),
        // OpenAI-compatible servers as engines: requests, repetitions, answers that are kept.
        .target(
            name: "Servers",
            dependencies: ["CCurl", "ChatTemplates", "JSON", "LongWork", "Tensors", "TextModels"]),
        // A model as a server with OpenAI's API: the other end of `Servers`.
        .target(
            name: "Serving",
            dependencies: [
                "ChatTemplates", "JSON", "LongWork", "Tensors", "TextModels", "Tokenizers",
                "Transformers",
                .product(name: "FlyingFox", package: "FlyingFox"),
                .product(name: "FlyingSocks", package: "FlyingFox"),
            ]),
        .target(
            name: "Alignment",
            dependencies: [
                "LongWork", "Optimizers", "Tensors", "TextModels", "Tokenizers", "Transformers",
            ]),
        // Processes on this machine and on others that compute for a session's models.
        .target(
            name: "Ranks",
            dependencies: [
                "Alignment", "CCrypto", "Layers", "LongWork", "NumberTypes", "Tensors",
                "TextModels", "Tokenizers", "Transformers",
            ]),
        // The file format of stored values, and `Codable` values in it.
        .target(
            name: "HDF5Objects",
            dependencies: ["CCrypto", "CHDF5", "Files", "JSON", "LongWork", "NumberTypes"]),
        .target(
            name: "Workspaces", dependencies: ["CHDF5", "Files", "HDF5Objects", "JSON", "LongWork"]),
        .target(name: "CommandLanguage"),
        // Styled text, tables, heat maps and pictures: how anything is shown, whatever it is.
        .target(name: "Rendering", dependencies: ["CommandLanguage"]),
        // What names are bound to, and the expressions over it.
        .target(
            name: "Values",
            dependencies: [
                "CommandLanguage", "JSON", "Patterns", "Rendering", "Tensors",
                .product(name: "OrderedCollections", package: "swift-collections"),
            ]),
        // The shipped world beside the method: its corpus, queries, principles and measures.
        .target(
            name: "ShippedWorld",
            dependencies: [
                "Alignment", "LongWork", "Tensors", "TextModels", "Tokenizers", "Transformers",
                "Worlds",
            ]),
        // One file a verb, and the objects that they make.
        .target(
            name: "Commands",
            dependencies: [
                "Alignment", "ChatTemplates", "CommandLanguage", "DataFiles", "Files", "GGUF",
                "HDF5Objects", "JSON", "Layers", "LongWork", "NumberTypes", "Optimizers", "Ranks",
                "Rendering", "Servers", "ShippedWorld", "Tensors", "TextModels", "Tokenizers",
                "Transformers", "Values", "Workspaces", "Worlds",
            ]),
        .target(
            name: "Sessions",
            dependencies: [
                "Alignment", "CommandLanguage", "Commands", "Files", "HDF5Objects", "JSON",
                "LongWork", "Ranks", "Rendering", "Tensors", "TextModels", "Tokenizers",
                "Transformers",
                "Values", "Workspaces",
            ]),
        // Notebooks of Jupyter: their files, a runner without Python.
        .target(
            name: "Notebooks",
            dependencies: ["CommandLanguage", "Files", "JSON", "Rendering", "Sessions"]),
        // Serves a session to the clients of Jupyter.
        .target(
            name: "JupyterKernel",
            dependencies: [
                "CCrypto", "CZeroMQ", "CommandLanguage", "Files", "JSON", "Notebooks", "Rendering",
                "Sessions",
            ]),
        .target(
            name: "Shell",
            dependencies: [
                "CEditLine", "CommandLanguage", "Commands", "JSON", "Rendering", "Sessions",
            ]),
        .executableTarget(
            name: "sami",
            dependencies: [
                "CommandLanguage", "Commands", "Files", "JSON", "JupyterKernel", "Notebooks",
                "Rendering", "Serving", "Sessions", "Shell",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        // Breaks the program on purpose and counts what was lost; docs/FAULTS.md.
        .target(
            name: "Faults", dependencies: ["ChatTemplates", "Notebooks", "Sessions", "Tokenizers"]),
        .executableTarget(
            name: "sami-faults",
            dependencies: [
                "Faults", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        // What the tests share: fixtures, oracles, random models, comparisons.
        .target(
            name: "TestSupport",
            dependencies: ["HDF5Objects", "JSON", "NumberTypes", "Tensors", "Transformers"],
            path: "Tests/TestSupport"),
        .testTarget(name: "FilesTests", dependencies: ["Files"]),
        .testTarget(name: "JSONTests", dependencies: ["JSON"]),
        .testTarget(
            name: "NotebooksTests", dependencies: ["JSON", "Notebooks", "Sessions", "TestSupport"]),
        .testTarget(
            name: "JupyterKernelTests",
            dependencies: ["CZeroMQ", "JSON", "JupyterKernel", "Sessions", "TestSupport"]),
        .testTarget(name: "GGUFTests", dependencies: ["GGUF", "NumberTypes", "TestSupport"]),
        .testTarget(name: "DataFilesTests", dependencies: ["DataFiles", "NumberTypes"]),
        .testTarget(name: "LongWorkTests", dependencies: ["LongWork"]),
        .testTarget(name: "OptimizersTests", dependencies: ["Optimizers", "Tensors"]),
        .testTarget(
            name: "TensorsTests",
            dependencies: ["CProcessor", "NumberTypes", "Tensors", "TestSupport"]),
        .testTarget(
            name: "TokenizersTests",
            dependencies: [
                "ChatTemplates", "GGUF", "JSON", "TestSupport", "Tokenizers",
            ],
            exclude: ["Fixtures"]),
        .testTarget(name: "WorldsTests", dependencies: ["Tokenizers", "Worlds"]),
        .testTarget(name: "LayersTests", dependencies: ["Layers", "Tensors", "TestSupport"]),
        .testTarget(
            name: "TransformersTests",
            dependencies: [
                "GGUF", "JSON", "LongWork", "NumberTypes", "Optimizers", "Tensors", "TestSupport",
                "Transformers",
            ]),
        .testTarget(
            name: "TextModelsTests",
            dependencies: [
                "ChatTemplates", "JSON", "LongWork", "Tensors", "TextModels", "Tokenizers",
                "Transformers",
            ]),
        .testTarget(
            name: "ServersTests",
            dependencies: [
                "ChatTemplates", "JSON", "LongWork", "Servers", "Tensors", "TestSupport",
                "TextModels",
            ]),
        .testTarget(
            name: "ServingTests",
            dependencies: ["JSON", "Serving", "TestSupport", "TextModels", "Tokenizers"]),
        .testTarget(
            name: "RanksTests",
            dependencies: [
                "Alignment", "LongWork", "Ranks", "Tensors", "TestSupport", "Transformers",
            ]),
        .testTarget(
            name: "AlignmentTests",
            dependencies: [
                "Alignment", "ChatTemplates", "LongWork", "Optimizers", "Tensors", "TestSupport",
                "TextModels",
                "Tokenizers", "Transformers",
            ]),
        .testTarget(
            name: "HDF5ObjectsTests",
            dependencies: ["Files", "HDF5Objects", "JSON", "NumberTypes", "TestSupport"]),
        .testTarget(
            name: "WorkspacesTests",
            dependencies: [
                "Files", "HDF5Objects", "LongWork", "NumberTypes", "TestSupport", "Workspaces",
            ]),
        .testTarget(
            name: "CommandLanguageTests", dependencies: ["CommandLanguage", "TestSupport"]),
        .testTarget(
            name: "SessionsTests",
            dependencies: [
                "Alignment", "ChatTemplates", "CommandLanguage", "Commands", "HDF5Objects", "JSON",
                "LongWork", "Ranks", "Rendering", "Sessions", "ShippedWorld", "Tensors",
                "TestSupport", "TextModels", "Transformers", "Values", "Workspaces",
            ]),
        .testTarget(
            name: "FaultsTests", dependencies: ["Faults", "sami", "sami-faults", "TestSupport"]),
        // The program itself is started by tests of what a person sees.
        .testTarget(
            name: "ShellTests",
            dependencies: [
                "CommandLanguage", "Commands", "JSON", "Rendering", "sami", "Sessions", "Shell",
                "TestSupport", "Values",
            ]),
    ],
    swiftLanguageModes: [.v6]
)

if hasMPI {
    package.targets += [
        .systemLibrary(name: "CMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])]),
        // The program of the ranks: messages by MPI, sums over ranks.
        .executableTarget(
            name: "sami-rank",
            dependencies: ["CMPI", "LongWork", "Ranks", "Tensors", "Transformers"],
            swiftSettings: numeric),
    ]
    package.products.append(.executable(name: "sami-rank", targets: ["sami-rank"]))
}

// Text, files and rendering compile in a fifth of the time without optimization, and a person does
// not notice that they run slower: the first build reaches a prompt in half the time. An installed
// program and the benchmarks are built with SAMI_OPTIMIZE=all. Tests are compiled in the same way,
// but for those that compute slow references themselves.
let textTargets: Set = [
    "ChatTemplates", "CommandLanguage", "Commands", "Rendering", "Sessions", "Shell",
    "ShippedWorld", "sami",
]
let computingTests: Set = ["LayersTests", "TensorsTests", "TransformersTests"]
let isOptimizedWhole = Context.environment["SAMI_OPTIMIZE"] == "all"
for target in package.targets
where target.type == .test
    ? !computingTests.contains(target.name)
    : textTargets.contains(target.name) && !isOptimizedWhole
{
    target.swiftSettings =
        (target.swiftSettings ?? []) + [.unsafeFlags(["-Onone"], .when(configuration: .release))]
}
