import Foundation

/// A Python interpreter that reads what this program writes.
public struct Python: Sendable {
    public let path: String

    /// The one that knows h5py: `SAMI_PYTHON`, or that of `.venv` in the repository; nil where neither
    /// does.
    public static let withH5py: Python? = {
        let candidates = [
            ProcessInfo.processInfo.environment["SAMI_PYTHON"], Repository.path(".venv/bin/python"),
        ]
        return candidates.compactMap { $0 }.map(Python.init).first {
            FileManager.default.isExecutableFile(atPath: $0.path)
                && (try? $0.run("import h5py")) != nil
        }
    }()

    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    /// What a script prints on standard output; throws with its standard error where it fails.
    public func run(_ script: String, _ arguments: [String] = []) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = ["-c", script] + arguments
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        let complaint = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: String(decoding: complaint, as: UTF8.self))
        }
        return String(decoding: text, as: UTF8.self)
    }
}
