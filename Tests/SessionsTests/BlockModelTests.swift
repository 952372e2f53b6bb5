import Foundation
import HDF5Objects
import NumberTypes
import Tensors
import Testing
import Transformers

@testable import Commands
@testable import Sessions
@testable import Values

/// `load model … dtype=q8_0`: weights in blocks through the whole of a session.
@Suite struct BlockModelTests {
    private func model(_ session: Session) throws -> LanguageModel {
        try #require(try session.value(of: "model")?.object(ModelObject.self)).model
    }

    private func logits(_ session: Session) throws -> [UInt32] {
        let output = try #require(session.outcomes(of: "logits [3, 7, 5]").last).result.get()
        return try #require(output.value?.asTensor).values.map(\.bitPattern)
    }

    @Test func `blocks are shown, stored and read again bit for bit`() throws {
        let bench = try Workbench(access: .readWrite, seed: 1)
        try bench.output("load model default dtype=q8_0")
        let loaded = try model(bench.session)
        #expect(loaded.weightFormat == .q80)
        #expect(try bench.text("model").contains("in Q8_0"))
        let weight = "model.tensors[\"model.layers.0.mlp.up_proj.weight\"]"
        #expect(try bench.text("w = \(weight); w.type").contains("Q8_0"))
        #expect(try bench.text("w").contains("Q8_0"))
        #expect(try bench.text("(w * 2 - w - w).norm").contains("0"))
        let found = try logits(bench.session)
        bench.session.close()

        let again = try bench.reopened()
        #expect(try model(again).weightFormat == .q80)
        #expect(try logits(again) == found)
        let before = zip(loaded.parameters.names, loaded.parameters.tensors)
        for ((name, tensor), same) in zip(before, try model(again).parameters.tensors) {
            #expect(tensor == same, "\(name)")
        }
        let kept = try #require(try again.value(of: "w")?.asTensor)
        #expect(kept.format == .q80)
        let verified = try #require(again.outcomes(of: "verify").last).result.get()
        #expect(!verified.text.plain.contains("damaged"))
        again.close()
    }

    @Test func `adapters train on blocks, and a merged model is plain`() throws {
        let bench = try Workbench(seed: 2)
        try bench.output(
            """
            load model default dtype=q8_0
            load principles trained
            load queries summaries split=train count=24
            compose count=2 principles_each=2
            rollout queries[0:4]
            adapt rank=2
            backward
            update optimizer=adamw learning_rate=1e-2
            """)
        #expect(try model(bench.session).weightFormat == .q80)
        try bench.output("merge dtype=stored")
        #expect(try model(bench.session).weightFormat == .bfloat16)
    }

    @Test func `files for others hold bfloat16`() throws {
        let bench = try Workbench()
        try bench.output(
            "load model default dtype=q8_0; export model m; load model m; export model all.h5")
        #expect(try model(bench.session).weightFormat == .bfloat16)
        try bench.output("load model m dtype=q8; load model (model) dtype=float32")
        #expect(try model(bench.session).weightFormat == .float32)
        try bench.output("load model (model) dtype=q8_0")
        #expect(try model(bench.session).weightFormat == .q80)
        #expect(bench.complaint("load model m dtype=q4_0").contains("q8_0"))
    }

    @Test func `a folder above snapshot_limit is read in blocks again`() throws {
        let bench = try Workbench(access: .readWrite)
        try bench.output(
            "load model default; export model m; set snapshot_limit=1MB; load model m dtype=q8_0")
        let found = try logits(bench.session)
        #expect(try !bench.text("ls").contains("*"))
        bench.session.close()
        let again = try bench.reopened()
        #expect(try model(again).weightFormat == .q80)
        #expect(try logits(again) == found)
        again.close()
    }

    @Test func `matrices that do not fit into blocks are counted`() throws {
        let bench = try Workbench()
        try bench.output("new model layers=1 width=48 heads=2 vocabulary=64 context=64 seed=3")
        let output = try bench.output("load model (model) dtype=q8_0")
        #expect(output.notes.contains { $0.contains("kept as they were: ") })
        let fitting = try bench.output("load model default dtype=q8_0")
        #expect(!fitting.notes.contains { $0.contains("kept as they were: ") })
    }

    /// A value with other sides is stored and read like any other.
    @Test func `a reshaped tensor in blocks survives the workspace`() throws {
        let bench = try Workbench(access: .readWrite)
        try bench.output(
            """
            load model default dtype=q8_0
            w = model.tensors["model.layers.0.mlp.up_proj.weight"]
            a = reshape(w, [3072, 16]); b = reshape(w, [48, 8, 128])
            """)
        let before = try ["a", "b"].map { try bench.session.value(of: $0)?.asTensor }
        bench.session.close()
        let again = try bench.reopened()
        #expect(try ["a", "b"].map { try again.value(of: $0)?.asTensor } == before)
        #expect(before.allSatisfy { $0 != nil })
        again.close()
    }

    /// The bytes of a stored tensor and its shape are checked against each other.
    @Test func `blocks that do not fit their shape are refused`() throws {
        let tensor = Tensor(repeating: 1, shape: [32, 64]).converted(to: .q80)
        guard case .record(var record) = try Value.tensor(tensor).storedObject().value else {
            Issue.record("no record")
            return
        }
        #expect(try Value(.record(record)).asTensor == tensor)
        for shape in [[32, 32], [32, 63], [-32, -64], [1 << 40, 1 << 40], []] {
            record["shape"] = .list(shape.map { .number(Double($0)) })
            #expect(throws: StorageError.self) { try Value(.record(record)) }
        }
        record["shape"] = .text("32 x 64")
        #expect(throws: StorageError.self) { try Value(.record(record)) }
    }
}
