import Foundation
import TestSupport
import Testing

@testable import Commands
@testable import Transformers

/// A real model in a GGUF file against transformers, which widens the same file
/// (Tests/Fixtures/README.md). Runs where scripts/get-smollm2 has brought the file.
@Suite(
    .enabled(if: SmolLM2.file != nil, "scripts/get-smollm2 has not brought SmolLM2"))
struct SmolLM2Tests {
    private struct Expected: Decodable {
        struct Prompt: Decodable {
            var text: String
            var tokens, best: [Int32]
            var logProbs: [Double]
        }
        struct Case: Decodable {
            var text: String
            var ids: [Int32]
        }
        var prompts: [Prompt]
        var cases: [Case]
    }

    @Test func `tokens and log-probs are those of transformers`() throws {
        let wanted = try Fixture.json("gguf/smollm2.json", as: Expected.self)
        let bench = try Workbench()
        try bench.output("load model smollm2")
        func loaded() throws -> ModelObject {
            try #require(try bench.session.value(of: "model")?.object(ModelObject.self))
        }
        #expect(try loaded().origin == "smollm2, Q8_0 as stored, Q4_1 as bfloat16")
        try bench.output("load model smollm2 dtype=bfloat16")
        let object = try loaded()
        #expect(object.origin == "smollm2, Q4_1 and Q8_0 as bfloat16")
        let tokenizer = try #require(object.tokenizer)
        for one in wanted.cases {
            #expect(tokenizer.encode(one.text, special: false) == one.ids)
        }
        #expect(tokenizer.stops.map { tokenizer.token($0) } == ["<|im_end|>"])
        #expect(object.directory?.templates["default"]?.contains("<|im_start|>") == true)
        for prompt in wanted.prompts {
            #expect(tokenizer.encode(prompt.text, special: false) == prompt.tokens)
            let logits = try object.model.logits(prompt.tokens, rows: [prompt.tokens.count - 1])
            let values = logits.values.map(Double.init)
            let largest = values.max() ?? 0
            let total = largest + log(values.reduce(0) { $0 + exp($1 - largest) })
            expectClose(
                prompt.best.map { values[Int($0)] - total }, prompt.logProbs, within: 1e-3,
                scale: 1)
            #expect(values.firstIndex(of: largest) == Int(prompt.best[0]))
        }
    }
}
