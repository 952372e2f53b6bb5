import Foundation
import TestSupport
import Testing

@testable import Commands
@testable import Sessions
@testable import Values

/// Named settings, and words of the grammar that an expression gives.
@Suite(.enabled(if: Workbench.hasShippedModel, "needs models/tiny"))
struct PresetTests {
    private static let setup = """
        load model default prompts=general
        load principles trained
        load queries summaries count=4
        """

    @Test func `an expression may give the word that a verb takes in place of a path`() throws {
        let bench = try Workbench()
        try bench.output("kind = \"summaries\"; which = \"default\"")
        try bench.output("load queries (kind) count=2; load model (which)")
        #expect(try bench.text("len(queries)") == "2")
        #expect(try bench.text("model.origin").contains("default"))
        #expect(bench.complaint("load queries \"summaries\"").contains("there is no file"))
    }

    @Test func `a text that is no such word is the name of a matrix`() throws {
        let bench = try Workbench()
        try bench.output("load model default; which = \"attention\"")
        #expect(try bench.text("adapt rank=2 on=\"q_proj\"").contains("5 matrices: q_proj"))
        #expect(try bench.text("adapt model=base rank=2 on=(which)").contains("20 matrices"))
        #expect(!bench.complaint("adapt model=base on=\"q_prj\"").isEmpty)
    }

    @Test func `responses in free text to the shipped world's posts are not malformed`() throws {
        let bench = try Workbench()
        try bench.output(Self.setup)
        try bench.output("compose principles_each=1; rollout max_tokens=4 unfinished=keep")
        #expect(try bench.text("rollouts.count") == "4")
    }

    @Test func `iterations keep cut responses where they are asked to`() throws {
        let bench = try Workbench()
        try bench.output(Self.setup)
        let statement = "iterate 1 steps=1 accumulate=2 max_tokens=4"
        #expect(bench.complaint(statement).contains("every query was rejected"))
        try bench.output(statement + " unfinished=keep")
        #expect(try bench.text("len(log.loss)") == "1")
    }

    @Test func `the preset for adapters keeps cut responses, two iterations long`() throws {
        let bench = try Workbench()
        try bench.output(Self.setup)
        try bench.output("adapt rank=2; iterate preset=adapters steps=1 max_tokens=4")
        #expect(try bench.text("len(log.loss)") == "2")
        try bench.output("compose principles_each=1; rollout preset=adapters max_tokens=4")
        #expect(try bench.text("rollouts.settings.temperature") == "0.7")
    }
}
