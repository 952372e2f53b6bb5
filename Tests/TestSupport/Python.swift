import Foundation

/// A Python interpreter to read the files of this program.
public struct Python: Sendable {
    public let path: String

    public static let withH5py = having("h5py")
    public static let withOpenAI = having("openai")
    public static let withLlamaServer = having("llama_cpp.server.app")

    /// The Python that has a module: `SAMI_PYTHON`, or that of `.venv` in the repository; nil if
    /// neither has it.
    private static func having(_ module: String) -> Python? {
        let candidates = [
            ProcessInfo.processInfo.environment["SAMI_PYTHON"], Repository.path(".venv/bin/python"),
        ]
        return candidates.compactMap { $0 }.map(Python.init).first {
            FileManager.default.isExecutableFile(atPath: $0.path)
                && (try? $0.run("import \(module)")) != nil
        }
    }

    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    /// The standard output of a script; throws with its standard error if it fails.
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
