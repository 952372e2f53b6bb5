import Foundation
import Tensors
import Transformers

extension ModelOracle {
    /// The path of a model of the larger second source, below `../shared`.
    public static func sharedPath(_ family: String) -> String { "reference/models/\(family)" }

    /// A model of `../shared/reference`: other weights, shapes and tokens than the fixture's.
    public init(shared family: String) throws {
        struct Case: Decodable {
            var prompts: [[Int32]]
            var responses: [[Int32]]
        }
        let directory = SharedReference.path(Self.sharedPath(family))
        let model = try ModelDirectory.load(directory)
        let file = try SafeTensors(path: directory + "/expected.safetensors")
        let text = try JSONDecoder().decode(
            Case.self, from: Data(contentsOf: URL(fileURLWithPath: directory + "/case.json")))
        func values(_ name: String) throws -> [Double] {
            guard let tensor = file.tensor(name) else {
                throw CocoaError(.coderValueNotFound, userInfo: [NSDebugDescriptionErrorKey: name])
            }
            return tensor.values.map(Double.init)
        }
        func number(_ name: String) throws -> Double { try values(name).first ?? .nan }
        let pairs = text.prompts.indices.flatMap { i in text.responses.indices.map { (i, $0) } }
        let gradients = try model.parameters.names.map { name in
            let all = try values("gradient.\(name)")
            return (
                name,
                Samples(
                    norm: all.reduce(0) { $0 + $1 * $1 }.squareRoot(),
                    largest: all.map(abs).max() ?? 0, at: Array(all.indices), values: all)
            )
        }
        try self.init(
            model,
            Expected(
                prompts: text.prompts, responses: text.responses, scores: values("S"),
                loss: number("loss"), rowLoss: number("loss_row"),
                columnLoss: number("loss_column"),
                tokenLogProbs: pairs.map { try values("token_logprobs.\($0).\($1)") },
                gradients: Dictionary(uniqueKeysWithValues: gradients),
                rmsprop: Run(
                    learningRate: 1e-3, decay: nil,
                    steps: (1...3).map { step in
                        try Step(
                            scores: values("after_step_\(step).S"),
                            loss: number("after_step_\(step).loss"), moved: nil)
                    }), adamw: nil, greedy: values("greedy").map { Int32($0) }, penalty: nil))
    }
}
