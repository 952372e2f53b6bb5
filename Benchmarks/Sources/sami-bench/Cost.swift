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
        let program = Program(path: sami)
        let start = try time(21) { _ = try program.output(["--ephemeral", "-c", "1"]) }.min() ?? 0
        let load = try program.statementSeconds(["--ephemeral"], ["load model default"])
        // The first statement of a new workspace creates its folders, so it is not counted.
        let count = 200
        let statements = try withWorkspace { workspace in
            try program.statementSeconds(["-w", workspace], (0...count).map { "a = \($0)" })
        }
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
}

/// How the costs of a workspace grow with its journal.
struct Journal: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "A workspace with so many statements: to write one, to open it, to undo one.")
    @Argument(help: "Statements.")
    var count: Int
    @Argument(help: "The program to measure.")
    var sami = "../.build/release/sami"

    func run() throws {
        let program = Program(path: sami)
        let (seconds, opening, undo) = try withWorkspace { workspace in
            let script = workspace + ".sami"
            try (0..<count).map { "a\($0 % 100) = \($0)\n" }.joined()
                .write(toFile: script, atomically: true, encoding: .utf8)
            let seconds = try time(1) { _ = try program.output(["-w", workspace, "run", script]) }[
                0]
            let start =
                try time(5) { _ = try program.output(["--ephemeral", "-c", "1"]) }.min() ?? 0
            func beyondStart(_ statement: String) throws -> Double {
                try
                    (time(3) { _ = try program.output(["-w", workspace, "-c", statement]) }.min()
                    ?? 0) - start
            }
            return (seconds - start, try beyondStart("a1"), try beyondStart("undo"))
        }
        let fields = [
            ("seconds", seconds), ("open_seconds", opening), ("undo_seconds", undo),
        ]
        print(
            "{"
                + fields.map { "\"\($0.0)\": \(String(format: "%.5f", $0.1))" }
                .joined(separator: ", ") + "}")
    }
}

/// Calls `body` with the path of a workspace that does not exist yet, and removes it afterwards.
private func withWorkspace<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("sami-bench-\(ProcessInfo.processInfo.processIdentifier)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder.appendingPathComponent("cost.samiws").path)
}

/// The program `sami`, run with arguments.
private struct Program {
    let path: String

    /// The duration of each statement, from the output of `--json`.
    func statementSeconds(_ options: [String], _ statements: [String]) throws -> [Double] {
        struct Line: Decodable { var seconds: Double? }
        let text = try output(
            options + ["--json", "-c", statements.joined(separator: "\n")])
        return text.split(separator: "\n").compactMap {
            try? JSONDecoder().decode(Line.self, from: Data($0.utf8)).seconds
        }
    }

    func output(_ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }
}
