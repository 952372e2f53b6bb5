import Foundation
import Glibc
import JSON
import TestSupport
import Testing

/// The session in a process of its own, which answers one statement after the other.
final class JSONConversation {
    let process = Process()
    private let (input, output) = (Pipe(), Pipe())
    private var lines = ""

    init(_ arguments: [String], in folder: String) throws {
        process.executableURL = URL(fileURLWithPath: try #require(Program.path))
        process.arguments = ["--json", "--keep-going"] + arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    deinit {
        // The child inherits the signals that the test program blocks.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    func send(_ statement: String) {
        input.fileHandleForWriting.write(Data((statement + "\n").utf8))
    }

    func line() throws -> JSON {
        while !lines.contains("\n") {
            let part = output.fileHandleForReading.availableData
            guard !part.isEmpty else { break }
            lines += String(decoding: part, as: UTF8.self)
        }
        let end = try #require(lines.firstIndex(of: "\n"))
        defer { lines.removeSubrange(...end) }
        return try JSON.read(String(lines[..<end]))
    }

    func answer(_ statement: String) throws -> JSON {
        send(statement)
        return try line()
    }
}
