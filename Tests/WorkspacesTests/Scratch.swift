import Files
import Foundation
import TestSupport
import Testing

@testable import HDF5Objects
@testable import Workspaces

/// A folder for one test, removed with it.
final class Scratch {
    let path: String

    init() throws {
        var template = Array("/tmp/workspaces-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw POSIXError(.EIO) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { FileSystem.removeTree(path) }

    /// The path of a workspace in it.
    var workspace: String { path + "/test.samiws" }

    /// Opens the workspace without fsync: the test itself does all damage.
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

    /// The values of the names.
    func values() throws -> [String: StoredValue] {
        var values: [String: StoredValue] = [:]
        for binding in names { values[binding.name] = try read(binding.name).value }
        return values
    }
}

func array(_ values: [Float], _ shape: [Int]) throws -> StoredValue {
    .array(try StoredArray(values, shape: shape))
}

/// Makes every write of this process beyond a size fail; nil lifts the limit.
func limitFileSize(_ bytes: Int?) {
    var limit = rlimit(rlim_cur: bytes.map { rlim_t($0) } ?? rlim_t.max, rlim_max: rlim_t.max)
    setrlimit(__rlimit_resource_t(1), &limit)  // RLIMIT_FSIZE
}
