import Tensors
import TestSupport
import Testing

@testable import Transformers

/// Whole models against central differences, every parameter tensor by name: no fixture, no oracle.
///
/// A wrong residual, a rotary embedding whose backward pass pairs other halves than the forward
/// pass, norms in another order or a forgotten bias would show here.
@Suite struct WholeModelGradientTests {
    struct Shape: Sendable, CustomTestStringConvertible {
        var name: String
        var configuration: ModelConfiguration
        var testDescription: String { name }

        init(
            _ family: String, _ note: String = "",
            _ change: (inout ModelConfiguration) -> Void = { _ in }
        ) {
            name = note.isEmpty ? family : "\(family), \(note)"
            configuration = TinyModels.configuration(family)
            change(&configuration)
        }
    }

    static let shapes =
        TinyModels.families.map { Shape($0) } + [
            Shape("llama", "scaled rotary embedding") {
                $0.ropeScaling = .linear(factor: 4)
            },
            Shape("llama", "biases") { ($0.attentionBias, $0.feedForwardBias) = (true, true) },
            Shape("mixtral", "all experts") { $0.expertsPerToken = $0.experts },
            Shape("qwen2", "own head") { $0.tiedHead = false },
            Shape("qwen3", "window in the second layer") {
                ($0.slidingWindow, $0.windowedLayers) = (4, .from(1))
            },
        ]

    @Test func `every family has a shape here`() {
        #expect(Set(Self.shapes.map(\.configuration.modelType)) == Set(Families.all.keys))
    }

    @Test(arguments: shapes)
    func `gradients are the derivatives of the loss`(_ shape: Shape) throws {
        let model = try TinyModels.model(shape.configuration, seed: 3)
        // Two prompts. One has two responses below it, and one of these continues in a third.
        var forest = TokenForest()
        let first = forest.append(TinyModels.tokens(7, seed: 1))
        let response = forest.append(TinyModels.tokens(4, seed: 2), parent: first)
        forest.append(TinyModels.tokens(3, seed: 3), parent: first)
        forest.append(TinyModels.tokens(2, seed: 4), parent: response)
        forest.append(TinyModels.tokens(5, seed: 5))
        let key = RandomKey(seed: 6)
        let targets = forest.tokens.indices.filter { $0 % 4 != 1 }.map {
            Target(row: $0, token: Int32(key.integer(UInt64($0), below: 13)))
        }
        let coefficients = targets.indices.map { Float(key.child("c").normal(UInt64($0))) }
        func loss(_ model: LanguageModel) throws -> Double {
            zip(try model.logProbs(forest, targets), coefficients).reduce(0) {
                $0 + Double($1.0) * Double($1.1)
            }
        }
        var gradients = ParameterSet(zeros: model.parameters.layout)
        _ = try model.backpropagate(forest, targets, into: &gradients) { _ in coefficients }
        for name in model.parameters.names {
            try checkGradient(
                try #require(gradients[name]), of: name, at: try #require(model.parameters[name]),
                step: 4e-3, tolerance: 1e-2, samples: 24
            ) { weight in
                var moved = model.parameters
                moved[name] = weight
                return try loss(model.with(moved))
            }
        }
    }
}
