import Tensors
import TestSupport
import Testing
import Transformers

@testable import Alignment

/// The fixture `llama` as a group of rollouts, and the values that torch computes with it.
struct Reference {
    let model: LanguageModel
    let expected: ModelOracle.Expected
    let group: RolloutGroup

    init() throws { try self.init(ModelOracle("llama")) }

    init(_ oracle: ModelOracle) throws {
        (model, expected) = (oracle.model, oracle.expected)
        let lines = zip(oracle.prompts, oracle.responses).enumerated().map { index, pair in
            RolloutLine(
                line: index + 1, query: "0", constitution: index, prompt: .tokens(pair.0),
                response: .tokens(pair.1))
        }
        group = try #require(try Rollouts(lines: lines).groups.first)
    }

    func batch(scoresEnd: Bool = false) throws -> ContrastBatch {
        try ContrastBatch(
            group, tokenizer: nil, configuration: model.configuration, scoresEnd: scoresEnd)
    }

    /// A second query: the same responses under rotated prompts.
    var other: RolloutGroup {
        var other = group
        other.id = "other"
        other.prompts = Array(group.prompts[1...] + group.prompts[..<1])
        return other
    }
}
