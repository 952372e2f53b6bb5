import Foundation
import Testing

@testable import Workspaces

/// A folder for one test, removed with it.
final class Scratch {
    let path: String

    init() throws {
        var template = Array("/tmp/workspaces-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw POSIXError(.EIO) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Files.removeTree(path) }

    /// The path of a workspace in it.
    var workspace: String { path + "/test.samiws" }

    /// Opens the workspace without waiting for the disk: what happens to it is a test's own doing.
    func open() throws -> Workspace {
        try Workspace.open(workspace, mode: .readWrite, isDurable: false)
    }

    func file(_ name: String) -> String { workspace + "/" + name }

    func bytes(_ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: file(name)))
    }

    func overwrite(_ name: String, _ bytes: Data) throws {
        try bytes.write(to: URL(fileURLWithPath: file(name)))
    }
}

extension Workspace {
    /// One whole statement that binds values.
    @discardableResult
    func run(
        _ source: String, _ bind: KeyValuePairs<String, StoredValue>, inputs: [String] = [],
        unbind: [String] = []
    ) throws -> CommitReport {
        let sequence = try begin(source: source, seed: "7")
        return try commit(
            sequence,
            bind: bind.map { ($0.key, .stored(StoredObject(kind: "value", value: $0.value))) },
            unbind: unbind, inputs: inputs, seconds: 0.25)
    }

    /// What the names are bound to.
    func values() throws -> [String: StoredValue] {
        var values: [String: StoredValue] = [:]
        for binding in names { values[binding.name] = try read(binding.name).value }
        return values
    }
}

/// A small generator with a seed, so that a failing case can be named.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

func array(_ values: [Float], _ shape: [Int]) throws -> StoredValue {
    .array(try StoredArray(values, shape: shape))
}

/// The python that knows h5py, or nil: then the tests that need one say so and pass.
func pythonPath() -> String? {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path
    let candidates = [
        ProcessInfo.processInfo.environment["SAMI_PYTHON"], root + "/.venv/bin/python",
    ]
    return candidates.compactMap { $0 }.first {
        FileManager.default.isExecutableFile(atPath: $0)
            && (try? output($0, ["-c", "import h5py"])) != nil
    }
}

/// What a program prints on standard output; throws with its standard error where it fails.
func output(_ program: String, _ arguments: [String]) throws -> String {
    struct Failure: Error, CustomStringConvertible { let description: String }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let out = Pipe()
    let err = Pipe()
    process.standardOutput = out
    process.standardError = err
    try process.run()
    let text = out.fileHandleForReading.readDataToEndOfFile()
    let complaint = err.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
        throw Failure(description: String(decoding: complaint, as: UTF8.self))
    }
    return String(decoding: text, as: UTF8.self)
}

/// Makes every write of this process beyond a size fail; nil lifts the limit.
func limitFileSize(_ bytes: Int?) {
    var limit = rlimit(rlim_cur: bytes.map { rlim_t($0) } ?? rlim_t.max, rlim_max: rlim_t.max)
    setrlimit(__rlimit_resource_t(1), &limit)  // RLIMIT_FSIZE
}
