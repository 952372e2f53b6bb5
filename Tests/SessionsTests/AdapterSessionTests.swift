import Foundation
import TestSupport
import Testing

@testable import Commands
@testable import Sessions
@testable import Values

/// Adapters through the statements of a user.
@Suite(.enabled(if: Workbench.hasShippedModel, "needs models/tiny"))
struct AdapterSessionTests {
    private static let setup = """
        load model default
        load principles trained
        load queries summaries split=train count=24
        compose count=2 principles_each=2
        rollout queries[0:4]
        """

    private func prepared(_ more: String = "adapt rank=4") throws -> Workbench {
        let bench = try Workbench(access: .readWrite, seed: 3)
        try bench.output(Self.setup)
        try bench.output(more)
        return bench
    }

    /// S of all queries under the session's `model`.
    private func scores(_ session: Session) throws -> [Float] {
        let output = try #require(session.outcomes(of: "score").last).result.get()
        return try #require(output.value?.asTensor).values
    }

    private func bytes(_ bench: Workbench) throws -> Int {
        let folder = bench.folder + "/test.samiws/objects"
        let names = try FileManager.default.subpathsOfDirectory(atPath: folder)
        return try names.reduce(0) {
            let size = try FileManager.default.attributesOfItem(atPath: folder + "/" + $1)[.size]
            return $0 + ((size as? Int) ?? 0)
        }
    }

    @Test func `a step changes the adapters alone, and undo brings them back`() throws {
        let bench = try prepared()
        try bench.output("fresh = model; backward; update optimizer=adamw learning_rate=1e-2")
        #expect(try bench.text("len(gradients.names) == 70") == "true")
        #expect(try bench.text("sum([1 for n in gradients.names if \"lora_\" in n])") == "70")
        try bench.output("changes = compare model base; first = compare fresh base")
        #expect(
            try bench.text("sum([k.change for k in changes.kinds if \"norm\" in k.kind])") == "0")
        #expect(
            try bench.text("min([k.change for k in changes.kinds if \"proj\" in k.kind]) > 0")
                == "true")
        #expect(try bench.text("first.equal") == "true")
        try bench.output("undo; undo; undo; changes = compare model base")
        #expect(try bench.text("changes.equal") == "true")
    }

    /// docs/ADAPTERS.md: its session runs, and the statements of its table exist.
    @Test func `the statements of the page about adapters run`() throws {
        let page = try String(contentsOfFile: Repository.path("docs/ADAPTERS.md"), encoding: .utf8)
        let block = try #require(page.components(separatedBy: "```\n").dropFirst().first)
        let bench = try Workbench()
        try bench.output(block)
        let cells = page.split(separator: "\n").filter { $0.hasPrefix("| `") }
            .compactMap { $0.split(separator: "|").first }
        let statements = cells.flatMap { $0.split(separator: "`").filter { $0.first!.isLetter } }
        #expect(statements.count >= 10)
        for statement in statements {
            let program = CommandTable.grammar.parse(String(statement))
            #expect(program.diagnostics.isEmpty, "\(statement)")
        }
    }

    @Test func `merging gives the same scores, and so does the exported adapter`() throws {
        let bench = try prepared()
        try bench.output(
            """
            train steps=2 accumulate=2 optimizer=adamw learning_rate=1e-2
            score; one = logprobs
            merged = merge
            score model=merged; two = logprobs
            export adapter a
            load adapter a model=base
            """)
        #expect(try bench.text("len(merged.names)") == bench.text("len(base.names)"))
        try bench.output("score; three = logprobs")
        #expect(try bench.text("max(abs(one - two)) < 1e-4") == "true")
        #expect(try bench.text("max(abs(one - three)) == 0") == "true")
        try bench.output("score model=base")
        #expect(try bench.text("max(abs(one - logprobs)) > 1e-4") == "true")
        // Merged weights generate what the adapters generate.
        let text = try bench.text("generate \"Principles for\" max_tokens=12 temperature=0")
        #expect(
            try bench.text("generate \"Principles for\" max_tokens=12 temperature=0 model=merged")
                == text)
    }

    @Test func `iterations train fresh adapters, and leave the base as it is`() throws {
        let bench = try prepared()
        let settings = "queries=8 steps=2 accumulate=4 learning_rate=1e-3"
        let output = try bench.text("iterate 2 \(settings)")
        #expect(output.contains("adapters: rank 4"))
        #expect(try bench.text("model.adapter.rank") == "4")
        try bench.output("m = load model default; c = compare base m")
        #expect(try bench.text("c.equal") == "true")
        try bench.output("iterate 1 \(settings) adapters=false")
        #expect(try bench.text("model.adapter") == "null")
        #expect(
            try bench.complaint("iterate 1 \(settings) adapters=true").contains("has no adapters"))
    }

    @Test func `a session goes on with its adapters after it was left`() throws {
        let bench = try prepared()
        try bench.output("backward; update optimizer=adamw learning_rate=1e-2")
        let scores = try self.scores(bench.session)
        let digest = bench.session.workspace.binding("model")?.digest
        bench.session.close()
        let again = try bench.reopened()
        func text(_ source: String) throws -> String {
            try #require(again.outcomes(of: source).last).result.get().text.plain
        }
        #expect(again.workspace.binding("model")?.digest == digest)
        #expect(try self.scores(again) == scores)
        #expect(try text("optimizer.steps") == "1")
        _ = try text("backward")
        #expect(try text("update optimizer=adamw learning_rate=1e-2").contains("adamw step 2"))
        again.close()
    }

    @Test func `weights above snapshot_limit stay in their folder, and adapters are stored`() throws
    {
        let bench = try Workbench(access: .readWrite, seed: 3)
        try bench.output(
            """
            load model default
            export model m
            set snapshot_limit=1MB
            load model m
            """)
        try bench.output(
            Self.setup.split(separator: "\n").dropFirst().joined(separator: "\n"))
        let before = try bytes(bench)
        try bench.output("adapt rank=2; backward; update optimizer=adamw learning_rate=1e-2")
        let scores = try self.scores(bench.session)
        // Model twice, gradients, and both moments.
        #expect(try bytes(bench) - before < 6 * 300_000)
        #expect(try !bench.text("ls").contains("*"))
        bench.session.close()
        let again = try bench.reopened()
        #expect(try self.scores(again) == scores)
        again.close()

        // Another model in its place, and none.
        let file = bench.folder + "/m/model.safetensors"
        var data = try Data(contentsOf: URL(filePath: file))
        data[data.count / 2] ^= 1
        data[data.count - 1] ^= 1
        try data.write(to: URL(filePath: file))
        let changed = try bench.reopened()
        #expect(throws: (any Error).self) { try self.scores(changed) }
        let failure = try #require(changed.outcomes(of: "describe model").last?.result.failure)
        #expect(failure.rendered().contains("has other content now"))
        changed.close()
    }

    @Test(arguments: ["", "dtype=float32", "dtype=q8_0"])
    func `weights of a GGUF file stay in it`(_ option: String) throws {
        let bench = try Workbench(access: .readWrite)
        try FileManager.default.copyItem(
            atPath: Fixture.path("gguf/llama.gguf"), toPath: bench.folder + "/m.gguf")
        try bench.output("set snapshot_limit=80kB; load model m.gguf \(option)")
        func logits(_ session: Session) throws -> [Float] {
            let output = try #require(session.outcomes(of: "logits [3, 7, 5]").last).result.get()
            return try #require(output.value?.asTensor).values
        }
        let found = try logits(bench.session)
        #expect(try !bench.text("ls").contains("*"))
        bench.session.close()
        let again = try bench.reopened()
        #expect(try logits(again) == found)
        again.close()
    }

    @Test func `mistakes with adapters are explained`() throws {
        let bench = try prepared()
        #expect(try bench.complaint("adapt").contains("merge, or begin anew: adapt model=base"))
        #expect(
            try bench.complaint("adapt model=base rank=200").contains("at most the smaller side"))
        #expect(
            try bench.complaint("adapt model=base on=[\"q_proj\", \"zz\"]")
                .contains("on=zz is not possible"))
        #expect(try bench.complaint("adapt model=base alpha=0").contains("above zero"))
        #expect(try bench.complaint("merge model=base").contains("has no adapters"))
        #expect(try bench.complaint("export adapter d model=base").contains("has no adapters"))
        #expect(try bench.complaint("export model d").contains("export adapter d, or merge first"))
        #expect(try bench.complaint("load adapter nothing model=base").contains("nothing"))
        try bench.output("merge; backward; adapt rank=2")
        #expect(try bench.complaint("update").contains("compute them again: backward"))
    }
}

extension Result {
    fileprivate var failure: Failure? {
        if case .failure(let failure) = self { failure } else { nil }
    }
}
