import Foundation
import TestSupport
import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import ShippedWorld
@testable import Values

/// Scripts that ship as examples are also run.
@Suite(.enabled(if: Workbench.hasShippedModel, "models/tiny is not here"))
struct ScriptTests {
    private func run(script: String, setting parameters: [String: String] = [:]) throws {
        let source = try String(
            contentsOfFile: Repository.path("sessions/" + script), encoding: .utf8)
        let bench = try Workbench()
        for (name, value) in parameters { try bench.session.setParameter(name, value) }
        _ = try bench.output(source)
    }

    @Test func stepByStepRuns() throws { try run(script: "step-by-step.sami") }

    @Test func sweepRunsWithFewerSteps() throws {
        try run(script: "sweep.sami", setting: ["steps": "1"])
    }

    @Test func lookInsideRuns() throws { try run(script: "look-inside.sami") }

    /// The answers in the file serve all of it.
    @Test func otherVoicesAsksNoServer() throws {
        let source = try String(
            contentsOfFile: Repository.path("sessions/other-voices.sami"), encoding: .utf8)
        let bench = try Workbench()
        try FileManager.default.createDirectory(
            atPath: bench.folder + "/sessions", withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: Repository.path("sessions/other-voices.jsonl"),
            toPath: bench.folder + "/sessions/other-voices.jsonl")
        let outputs = try bench.run(source).map { try $0.result.get() }
        #expect(!outputs.flatMap(\.notes).contains { $0.hasPrefix("asked ") })
        #expect(outputs.flatMap(\.notes).contains("6 answers of `other` were kept from before"))
    }

    @Test func realCheckpointRunsOnTheSmallDirectoryItMakes() throws {
        try run(script: "real-checkpoint.sami")
    }

    /// The script for SmolLM2 on the shipped model, which has no words for such principles: the
    /// statements run, and the figures mean nothing.
    @Test func realAlignmentRunsOnTheShippedModel() throws {
        let sentences = [
            "Somebody took my bike from the yard.", "My train is late again.",
            "The cat broke a lamp that was not ours.", "I salted the soup twice.",
        ]
        let folder = try TemporaryFolder()
        let posts = folder.path + "/posts.jsonl"
        let lines = (0..<76).map {
            #"{"post": "\#(sentences[$0 % 4]) That was \#($0 + 2) days ago."}"# + "\n"
        }
        try lines.joined().write(toFile: posts, atomically: true, encoding: .utf8)
        try run(
            script: "real-alignment.sami",
            setting: [
                "checkpoint": "default", "posts": posts, "training": "16", "held": "60",
                "judged": "2", "steps": "1", "max_tokens": "40",
            ])
    }

    /// The experiments of docs/PAPER.md with a few posts: the statements run, and the figures mean
    /// nothing.
    @Test(arguments: [
        ("base", ["tasks": "[\"summaries\"]", "iterations": "[1, 2]"], "rate"),
        ("finetuned", ["demonstrations": "[4, 8]"], "finetuned_over_base"),
        ("weak-writer", ["strong": "default", "written": "4"], "at_equal_lengths"),
        ("diverse", ["strong": "default"], "at_equal_lengths"),
        ("ablations", ["only": "[\"rows only\", \"RMSprop\"]"], "bound"),
    ])
    func paperScriptsRunOnFewPosts(
        _ name: String, _ parameters: [String: String], _ column: String
    ) throws {
        let source = try String(
            contentsOfFile: Repository.path("sessions/paper-\(name).sami"), encoding: .utf8)
        let bench = try Workbench()
        let few = ["seeds": "[1, 2]", "posts": "8", "held": "6", "steps": "1"]
        for (name, value) in few.merging(parameters, uniquingKeysWith: { $1 }) {
            try bench.session.setParameter(name, value)
        }
        let output = try bench.output(source)
        guard case .list(let rows)? = output.value, case .record(let row)? = rows.last else {
            Issue.record("it does not end with a table")
            return
        }
        #expect(row[column]?.asNumber != nil && row["n"]?.asNumber == 12, "\(row)")
    }

    @Test func yourOwnQueriesNamesThePostThatDoesNotFit() throws {
        let source = try String(
            contentsOfFile: Repository.path("sessions/your-own-queries.sami"), encoding: .utf8)
        let bench = try Workbench()
        try bench.session.setParameter(
            "file", Repository.path("sessions/your-own-queries.jsonl"))
        let outcomes = bench.run(source)
        let text = try outcomes.map { try $0.result.get().text.plain }.joined(separator: "\n")
        #expect(text.contains("long"))
        #expect(text.contains("model changed"))
    }

    /// The transcript in the README: its statements run, in order, in one session.
    @Test func readmeStatementsRun() throws {
        let readme = try String(contentsOfFile: Repository.path("README.md"), encoding: .utf8)
        let statements = readme.split(separator: "\n").filter { $0.hasPrefix("sami> ") }
            .map { String($0.dropFirst(6)) }
        #expect(!statements.isEmpty)
        let bench = try Workbench()
        for statement in statements { _ = try bench.output(statement) }
    }
}
