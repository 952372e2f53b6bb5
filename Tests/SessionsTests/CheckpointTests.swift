import Foundation
import HDF5Objects
import TestSupport
import Testing
import Transformers
import Workspaces

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import ShippedWorld
@testable import Values

/// Model directories in their published form, through the statements of a user.
@Suite struct CheckpointTests {
    /// Six posts on the shipped model, from text on: Tests/Fixtures/README.md.
    @Test(.enabled(if: Workbench.hasShippedModel, "models/tiny is not there"))
    func `real posts on the shipped model give torch's S and loss`() throws {
        struct Case: Decodable {
            var query: String
            var scores: [Double]
            var loss: Double
            var lengths: [Int]

            enum CodingKeys: String, CodingKey {
                case query, loss, lengths
                case scores = "S"
            }
        }
        let cases = try Fixture.lines("text/expected.jsonl", as: Case.self)
        let bench = try Workbench()
        try bench.output(
            "load model default; load rollouts \"\(Fixture.path("text/rollouts.jsonl"))\"")
        let scores = try #require(try bench.output("score per_token=true").value?.asTensor)
        #expect(scores.shape == [6, 2, 2] && cases.count == 6)
        try bench.output("contrast")
        let losses = try #require(try bench.output("loss.values").value?.asTensor).values
        for (query, wanted) in cases.enumerated() {
            expectClose(
                Array(scores.values[4 * query..<4 * query + 4]), wanted.scores, within: 1e-4,
                "S of \(wanted.query)")
            expectClose(
                [losses[query]], [wanted.loss], within: 1e-3, "loss of \(wanted.query)")
            for (response, length) in wanted.lengths.enumerated() {
                let found = try bench.text("len(logprobs.tokens[\(query)][\(response)])")
                #expect(found == "\(length)", "tokens of response \(response), \(wanted.query)")
            }
        }
    }

    private static let text = "reference/text/mistral-tldr"

    /// The program that computed the reference had rounded the rotary frequencies.
    @Test(.needsShared(text, "data/tldr"))
    func `real posts give the reference's S and loss, from text on`() throws {
        let folder = SharedReference.path(Self.text)
        let expected = try SafeTensors(path: folder + "/expected.safetensors")
        let bench = try Workbench()
        try bench.output(
            """
            load model "\(folder)" dtype=float32 rotary=bfloat16
            load rollouts "\(folder)/rollouts.jsonl"
            """)
        let scores = try #require(try bench.output("score").value?.asTensor)
        #expect(scores.shape == [6, 2, 2])
        try bench.output("contrast")
        let losses = try #require(try bench.output("loss.values").value?.asTensor).values
        for query in 0..<6 {
            let wanted = try #require(expected.tensor("S.\(query)")).values
            for (found, wanted) in zip(scores.values[(4 * query)..<(4 * query + 4)], wanted) {
                #expect(abs(found - wanted) < 1e-3, "query \(query)")
            }
            let loss = try #require(expected.tensor("loss.\(query)")?.values.first)
            #expect(abs(losses[query] - loss) < 1e-3, "query \(query)")
        }
    }

    @Test(.needsShared(text, "data/tldr"))
    func `real posts, constitutions and responses go through to a trained model`() throws {
        let (folder, data) = (SharedReference.path(Self.text), SharedReference.path("data/tldr"))
        let bench = try Workbench()
        try bench.output(
            """
            load model "\(folder)"
            load queries "\(data)/queries.jsonl" count=12
            load constitutions "\(data)/constitutions.jsonl"
            compose count=2
            load responses ["\(data)/responses-iteration-3-mistral-mistral.jsonl", "\(data)/responses-base-mistral-mistral.jsonl"]
            score
            contrast
            train learning_rate=1e-4 accumulate=6
            """)
        #expect(try bench.text("compare model base").hasPrefix("weights differ by "))
    }

    @Test(arguments: ["llama", "mistral", "mixtral", "qwen2", "qwen3", "gpt2"])
    func `a directory that was loaded is jsonValue byte for byte`(_ family: String) throws {
        let bench = try Workbench()
        try bench.output(
            """
            train tokenizer vocabulary=300 documents=50 seed=1
            new model family=\(family) layers=2 width=32 heads=2 context=64 seed=3
            export model first
            """)
        try #"{"chat_template": "{{ messages }}"}"#.write(
            toFile: bench.folder + "/first/tokenizer_config.json", atomically: true,
            encoding: .utf8)
        try bench.output("load model first; export model second")
        func bytes(_ path: String) throws -> Data {
            try Data(contentsOf: URL(fileURLWithPath: bench.folder + "/" + path))
        }
        for file in ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
        {
            #expect(try bytes("first/" + file) == bytes("second/" + file), "\(file)")
        }
        #expect(try bench.text("compare model base") == "the same weights, every bit")
    }

    @Test(arguments: ["../x.json", "/tmp/x.json", "a/../../x.json"])
    func `a stored model whose files lead out of a folder is refused`(_ name: String) throws {
        let bench = try Workbench()
        try bench.output("new model layers=1 width=32 heads=2 vocabulary=40 context=64 seed=3")
        let object = try #require(try bench.session.value(of: "model")?.object(ModelObject.self))
        guard case .record(var record) = try object.stored() else { return }
        record.fields.removeAll { $0.key == "files" }
        let file = StoredValue.array(try StoredArray(type: .uint8, shape: [1], bytes: Data([32])))
        record.fields.append(.init(key: "files", value: .record(StoredRecord([(name, file)]))))
        #expect(throws: StorageError.self) { try ModelObject.restored(.record(record)) }
    }

    @Test func `stored types stay in memory, in the workspace and in an export`() throws {
        let bench = try Workbench(access: .readWrite)
        try bench.output(
            """
            new model layers=1 width=32 heads=2 vocabulary=40 context=64 seed=3
            export model wide
            load model wide dtype=bfloat16
            export model narrow
            """)
        let size = { (path: String) throws -> Int in
            try Data(contentsOf: URL(fileURLWithPath: bench.folder + path)).count
        }
        #expect(try size("/narrow/model.safetensors") < size("/wide/model.safetensors") * 6 / 10)
        bench.session.close()
        let again = try bench.reopened()
        let object = try #require(try again.value(of: "model")?.object(ModelObject.self))
        #expect(object.model.weightFormat == .bfloat16)
        again.close()
    }
}
