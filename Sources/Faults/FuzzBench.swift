import Foundation
import Sessions

/// The environment for reading inputs: a folder, and a session without a workspace.
final class FuzzBench {
    let folder: String
    /// The package's folder.
    let root: String
    private(set) var session: Session
    private(set) var objectPath = ""
    private var parts: [String: Data] = [:]
    /// The number of inputs that were read without an error.
    var accepted = 0
    private var count = 0

    init(folder: String, root: String) throws {
        self.folder = folder
        self.root = root
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        session = try FuzzBench.open(folder, nil)
    }

    private static func open(_ folder: String, _ workspace: String?, readOnly: Bool = true) throws
        -> Session
    {
        var configuration = Session.Configuration()
        configuration.directory = folder
        configuration.access = workspace == nil ? .ephemeral : readOnly ? .readOnly : .readWrite
        if let workspace { configuration.workspace = workspace }
        return try Session(configuration)
    }

    func write(_ bytes: [UInt8], _ name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: folder + "/" + name))
    }

    func remove(_ name: String) {
        try? FileManager.default.removeItem(atPath: folder + "/" + name)
    }

    /// Runs code that must return a value or throw an error with a message.
    func sentence(_ body: () throws -> Void) -> String? {
        do {
            try body()
            accepted += 1
            return nil
        } catch {
            return "\(error)".isEmpty ? "a failure without a word" : nil
        }
    }

    /// Runs statements. The message of a failure must name the file.
    func evaluate(_ source: String, naming file: String?, or others: [String] = []) -> String? {
        count += 1
        if count % 500 == 0 {
            // The history and the values of a session grow with its statements, as expected.
            session.close()
            if let fresh = try? FuzzBench.open(folder, nil) { session = fresh }
        }
        var problem: String?
        var isWell = true
        for outcome in session.outcomes(of: source) {
            guard case .failure(let failure) = outcome.result else { continue }
            isWell = false
            let text = failure.message
            if text.isEmpty {
                problem = "a failure without a word"
            } else if let file, !([file] + others).contains(where: text.contains) {
                problem = "the file is not named: \(text)"
            }
            _ = failure.rendered()
            _ = outcome.json
        }
        accepted += isWell ? 1 : 0
        return problem
    }

    /// The bytes of the file that `export` writes for a value.
    func exported(_ value: String, to file: String) throws -> [UInt8] {
        let outcomes = session.outcomes(of: "export \(value) \(file)")
        if let failure = outcomes.failure { throw FaultError(failure) }
        return [UInt8](FileManager.default.contents(atPath: folder + "/" + file) ?? Data())
    }

    func makeModel() throws {
        guard !FileManager.default.fileExists(atPath: folder + "/model") else { return }
        let outcomes = session.outcomes(
            of: """
                train tokenizer vocabulary=300 documents=20
                new model layers=1 width=16 vocabulary=300 context=32
                export model model
                """)
        if let failure = outcomes.failure { throw FaultError(failure) }
    }

    func makeWorkspace() throws {
        remove("whole.samiws")
        remove("packed.h5")
        let made = try FuzzBench.open(folder, "whole.samiws", readOnly: false)
        let outcomes = made.outcomes(
            of: "x = [1, 2, 3]; y = zeros([3, 2]); x = \"text\"; undo; z = {\"a\": [1]}; rm z; "
                + "pack packed.h5")
        made.close()
        if let failure = outcomes.failure { throw FaultError(failure) }
        let base = folder + "/whole.samiws"
        let found = FileManager.default.enumerator(atPath: base)?.compactMap { $0 as? String }
        objectPath =
            found?.filter { $0.hasSuffix(".h5") && $0.hasPrefix("objects") }.sorted().first ?? ""
        for path in found ?? [] {
            if let data = FileManager.default.contents(atPath: base + "/" + path) {
                parts[path] = data
            }
        }
    }

    /// Restores the whole workspace from a copy.
    func restoreWorkspace() throws {
        remove("copy.samiws")
        for (path, data) in parts {
            let target = folder + "/copy.samiws/" + path
            try FileManager.default.createDirectory(
                atPath: (target as NSString).deletingLastPathComponent,
                withIntermediateDirectories: true)
            try data.write(to: URL(fileURLWithPath: target))
        }
    }

    /// Opens the copy, reads all of it and runs a statement if the workspace is writable.
    func openWorkspace() -> String? {
        count += 1
        let readOnly = count % 8 != 0
        do {
            let opened = try FuzzBench.open(folder, "copy.samiws", readOnly: readOnly)
            defer { opened.close() }
            var unsaid = false
            for outcome in opened.outcomes(of: "history; ls; x; y; verify", keepGoing: true) {
                if case .failure(let failure) = outcome.result {
                    unsaid = unsaid || failure.message.isEmpty
                }
            }
            if !readOnly {
                let failure = opened.outcomes(of: "w = 1; undo; redo; gc").failure
                // If both journal and `HEAD` are damaged, `gc` may refuse until a statement has
                // succeeded.
                if let failure, opened.isReadOnly == false { return "afterwards: \(failure)" }
            }
            accepted += 1
            return unsaid ? "a failure without a word" : nil
        } catch {
            return "\(error)".contains("copy.samiws") ? nil : "the file is not named: \(error)"
        }
    }
}

extension [Outcome] {
    /// The message of the failure that ended the block; nil if it ran to its end.
    fileprivate var failure: String? {
        for case .failure(let failure) in map(\.result) { return failure.message }
        return nil
    }
}
