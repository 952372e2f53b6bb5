import LongWork
import Tensors
import TestSupport
import Testing

@testable import Transformers

/// The insides of a model against transformers: Tests/Fixtures/README.md. Arithmetic here is
/// float32, there float64.
@Suite struct ObservationTests {
    private struct Inside: Decodable {
        var hidden, attention: [ModelOracle.Samples]
        var logits, lens: ModelOracle.Samples
    }

    private func expect(
        _ found: Tensor, _ wanted: ModelOracle.Samples, _ name: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        expectClose(
            wanted.at.map { Double(found[$0]) }, wanted.values, within: 1e-4,
            scale: wanted.largest, "\(name), samples", sourceLocation: sourceLocation)
        expectClose(
            [found.squaredNorm.squareRoot()], [wanted.norm], within: 1e-4, "\(name), norm",
            sourceLocation: sourceLocation)
    }

    @Test(arguments: ModelOracle.families)
    func `hidden states, attention, logits and lens are those of transformers`(
        family: String
    ) throws {
        let oracle = try ModelOracle(family)
        let wanted = try Fixture.json("models/\(family)/inside.json", as: Inside.self)
        let (model, tokens) = (oracle.model, oracle.prompts[1])
        #expect(wanted.hidden.count == model.configuration.layers + 1)
        for (layer, samples) in wanted.hidden.enumerated() {
            expect(
                try model.hiddenState(tokens, layer: layer), samples, "hidden state \(layer)")
        }
        let heads = Array(0..<model.configuration.heads)
        for (layer, samples) in wanted.attention.enumerated() {
            let found = try model.attention(tokens, layer: layer, heads: heads)
            #expect(found.shape == [heads.count, tokens.count, tokens.count])
            expect(found, samples, "attention \(layer)")
            let one = try model.attention(tokens, layer: layer, heads: [1])
            let size = tokens.count * tokens.count
            #expect(one.values == Array(found.values[size..<2 * size]))
        }
        expect(
            try model.logits(tokens, rows: Array(tokens.indices)), wanted.logits, "logits")
        expect(try model.lens(tokens, row: tokens.count - 1), wanted.lens, "lens")
    }

    @Test(arguments: ModelOracle.families)
    func `the observed pass and the fast pass agree`(family: String) throws {
        let oracle = try ModelOracle(family)
        let (model, tokens) = (oracle.model, oracle.prompts[0])
        let last = tokens.count - 1
        let lens = try model.lens(tokens, row: last)
        let logits = try model.logits(tokens, rows: [last])
        let layers = model.configuration.layers
        expectClose(
            Array(lens.values.suffix(logits.columns)), logits.values.map(Double.init),
            within: 1e-5, "the last row of the lens")
        #expect(lens.shape == [layers + 1, model.configuration.vocabularySize])
    }

    @Test func `observing stops when asked, and refuses what the model cannot read`() throws {
        let model = try ModelOracle("llama").model
        #expect(throws: Canceled.self) {
            try model.hiddenState([3, 4], layer: 1, watch: { _ in .stop })
        }
        #expect(throws: ModelError.self) { try model.hiddenState([], layer: 0) }
        #expect(throws: ModelError.self) { try model.lens([1_000_000], row: 0) }
    }
}
