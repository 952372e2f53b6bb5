import ArgumentParser
import Foundation

/// The program's costs apart from arithmetic: its start, loading the shipped model, the bookkeeping
/// of a statement.
struct Cost: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start-up, loading the shipped model, and the bookkeeping of a statement.")
    @Argument(help: "The program to measure.")
    var sami = "../.build/release/sami"

    func run() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("sami-bench-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let workspace = folder.appendingPathComponent("cost.samiws").path

        let start = try time(7) { _ = try output(["--ephemeral", "-c", "1"]) }.min() ?? 0
        let load = try statementSeconds(["--ephemeral"], ["load model default"])
        // The first statement of a new workspace creates its folders, so it is not counted.
        let count = 200
        let statements = try statementSeconds(
            ["-w", workspace], (0...count).map { "a = \($0)" })
        let bookkeeping = statements.dropFirst().reduce(0, +) / Double(count)
        let fields = [
            ("start_seconds", start), ("load_model_seconds", load.first ?? 0),
            ("statement_seconds", bookkeeping),
        ]
        print("The program around the arithmetic")
        for (name, value) in fields {
            print(
                "  \(name.padding(toLength: 20, withPad: " ", startingAt: 0)) "
                    + String(format: "%.4f", value))
        }
        print(
            "{" + fields.map { "\"\($0)\": \(String(format: "%.5f", $1))" }.joined(separator: ", ")
                + "}")
    }

    /// The duration of each statement, from the output of `--json`.
    private func statementSeconds(_ options: [String], _ statements: [String]) throws -> [Double] {
        struct Line: Decodable { var seconds: Double? }
        let text = try output(
            options + ["--json", "-c", statements.joined(separator: "\n")])
        return text.split(separator: "\n").compactMap {
            try? JSONDecoder().decode(Line.self, from: Data($0.utf8)).seconds
        }
    }

    private func output(_ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: sami)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }
}
