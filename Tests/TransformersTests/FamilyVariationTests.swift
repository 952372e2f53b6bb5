import Foundation
import JSON
import Tensors
import TestSupport
import Testing

@testable import Transformers

/// Configurations beyond those of the reference models: the same models with some keys changed.
/// Oracle: transformers and torch, Tests/Fixtures/models/variations.json, and variations-5.json for
/// keys that only transformers 5 reads in this way.
@Suite struct FamilyVariationTests {
    struct Variation: Sendable, CustomTestStringConvertible {
        var family: String
        /// The changed keys, as JSON.
        var changes: Data
        var scores: [Double]
        var greedy: [Int32]

        var testDescription: String {
            "\(family) \(String(decoding: changes, as: UTF8.self))"
        }
        /// Whether the longest sequence of a pass decides on the angles of all.
        var isDynamic: Bool {
            testDescription.contains("dynamic") || testDescription.contains("longrope")
        }

        /// The fixture of the family under the changed configuration.
        func oracle() throws -> ModelOracle {
            let configuration = try ModelConfiguration(
                json: JSONSerialization.data(
                    withJSONObject: object(Fixture.data("models/\(family)/config.json"))
                        .merging(object(changes)) { $1 }), name: "config.json")
            return try ModelOracle(family).with(
                TinyModels.model(configuration, seed: ModelOracle.seed))
        }

        private func object(_ data: Data) throws -> [String: Any] {
            try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        }
    }

    static let all: [Variation] = {
        let items = ["variations", "variations-5"].flatMap { name -> [[String: Any]] in
            let data = try? Fixture.data("models/\(name).json")
            return data.flatMap { try? JSONSerialization.jsonObject(with: $0) } as? [[String: Any]]
                ?? []
        }
        return items.compactMap { item in
            guard let family = item["family"] as? String, let scores = item["S"] as? [Double],
                let greedy = item["greedy"] as? [Int], let changes = item["changes"],
                let text = try? JSONSerialization.data(
                    withJSONObject: changes, options: .sortedKeys)
            else { return nil }
            return Variation(
                family: family, changes: text, scores: scores, greedy: greedy.map { Int32($0) })
        }
    }()

    /// Without scaling under which a forest's longest sequence decides for all.
    static let variations = all.filter { !$0.isDynamic }

    @Test func `the fixture has every variation`() {
        #expect(Self.all.count == 20 && Self.variations.count == 18)
    }

    @Test(arguments: variations, [true, false])
    func `S is torch's`(_ variation: Variation, isShared: Bool) throws {
        let oracle = try variation.oracle()
        let found = try oracle.contrast(oracle.model, oracle.grid(isShared: isShared))
        expectClose(found.scores, variation.scores, within: 1e-4, "S")
    }

    @Test(arguments: all)
    func `greedy tokens are those of transformers`(_ variation: Variation) throws {
        let oracle = try variation.oracle()
        // The other prompts, which differ from the first, are generated beside it.
        let prompts = variation.isDynamic ? Array(oracle.prompts.prefix(1)) : oracle.prompts
        let found = try oracle.model.generate(
            prompts.map { GenerationRequest(prompt: $0, key: RandomKey(seed: 1)) },
            SamplerSettings(temperature: 0, maxTokens: variation.greedy.count))
        #expect(found[0].tokens == variation.greedy)
    }

    /// A pass that is longer than the original context uses the angles for its longest sequence.
    @Test(arguments: all.filter(\.isDynamic))
    func `dynamic scaling follows the longest sequence`(_ variation: Variation) throws {
        let oracle = try variation.oracle()
        for (i, prompt) in oracle.prompts.enumerated() {
            for (j, response) in oracle.responses.enumerated() {
                var forest = TokenForest()
                let root = forest.append(prompt)
                // Its last token predicts nothing, but counts for the length of the sequence.
                forest.append(response, parent: root)
                let found = try oracle.model.logProbs(
                    forest,
                    response.enumerated().map {
                        Target(row: prompt.count - 1 + $0.offset, token: $0.element)
                    })
                let mean = Double(found.reduce(0, +)) / Double(found.count)
                expectClose(
                    [mean], [variation.scores[3 * i + j]], within: 1e-4, "S of pair \(i), \(j)")
            }
        }
    }
}
