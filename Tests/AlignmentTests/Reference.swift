import Foundation
import Tensors
import Testing
import Transformers

@testable import Alignment

/// The reference model of `../shared/reference/models/llama` and what torch computes on it.
struct Reference {
    let model: LanguageModel
    let expected: SafeTensors
    let group: RolloutGroup

    static let directory = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("../shared/reference/models/llama").standardized.path
    static let isThere = FileManager.default.fileExists(atPath: directory + "/case.json")
    static let absent: Comment = "../shared/reference/models/llama is not beside the package"

    init() throws {
        struct Case: Decodable {
            var prompts: [[Int32]]
            var responses: [[Int32]]
        }
        let data = try Data(contentsOf: URL(fileURLWithPath: Self.directory + "/case.json"))
        let found = try JSONDecoder().decode(Case.self, from: data)
        model = try ModelDirectory.load(Self.directory)
        expected = try SafeTensors(path: Self.directory + "/expected.safetensors")
        let lines = zip(found.prompts, found.responses).enumerated().map { index, pair in
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

    func values(_ name: String) throws -> [Double] {
        try #require(expected.tensor(name)).values.map(Double.init)
    }

    /// A second query: the same responses under rotated prompts.
    var other: RolloutGroup {
        var other = group
        other.id = "other"
        other.prompts = Array(group.prompts[1...] + group.prompts[..<1])
        return other
    }
}

/// The largest difference, as a share of the largest value wanted.
func relativeError(_ found: [Double], _ wanted: [Double]) -> Double {
    guard found.count == wanted.count else { return .infinity }
    let scale = wanted.map(abs).max() ?? 1
    return (zip(found, wanted).map { abs($0 - $1) }.max() ?? 0) / max(scale, .leastNormalMagnitude)
}

func relativeError(_ found: ParameterSet, _ wanted: ParameterSet) -> Double {
    zip(found.tensors, wanted.tensors).map {
        relativeError($0.values.map(Double.init), $1.values.map(Double.init))
    }.max() ?? .infinity
}
