import Optimizers
import Tensors
import TestSupport
import Testing

@testable import Transformers

/// Agreement with transformers and torch on models whose weights are drawn again:
/// Tests/Fixtures/README.md.
@Suite struct ParityTests {
    @Test(arguments: ModelOracle.families, [true, false])
    func `log-probs, S and loss are torch's`(family: String, isShared: Bool) throws {
        try Parity(oracle: ModelOracle(family)).checkScores(isShared: isShared)
    }

    /// Kept activations; the same for separate sequences; budgets under which blocks are
    /// recomputed, and trees are processed one by one.
    @Test(arguments: ModelOracle.families, [0, 1, 2, 3])
    func `every gradient is torch's, however memory is spent`(family: String, way: Int) throws {
        try Parity(oracle: ModelOracle(family)).checkGradients(
            isShared: way != 1, budget: [.max / 8, .max / 8, 1_300_000, 500_000][way])
    }

    @Test(arguments: ModelOracle.families)
    func `three RMSprop steps move every weight as torch's do`(family: String) throws {
        let parity = try Parity(oracle: ModelOracle(family))
        try parity.checkSteps(.rmsprop(), parity.expected.rmsprop)
    }

    /// The second and third steps carry both moments, and their bias corrections differ.
    @Test(arguments: ModelOracle.families)
    func `three AdamW steps move every weight as torch's do`(family: String) throws {
        let parity = try Parity(oracle: ModelOracle(family))
        let run = try #require(parity.expected.adamw)
        try parity.checkSteps(.adamw(decay: try #require(run.decay)), run)
    }

    @Test(arguments: ModelOracle.families)
    func `greedy tokens are those of transformers`(family: String) throws {
        try Parity(oracle: ModelOracle(family)).checkGreedyTokens()
    }

    @Test(arguments: ModelOracle.families)
    func `a forest equals separate sequences`(family: String) throws {
        let oracle = try ModelOracle(family)
        let (together, apart) = (oracle.grid(isShared: true), oracle.grid(isShared: false))
        #expect(together.forest.tokens.count < apart.forest.tokens.count * 2 / 3)
        let logProbs = try [together, apart].map {
            try oracle.model.logProbs($0.forest, $0.targets)
        }
        #expect(relativeError(logProbs[0], logProbs[1]) < 1e-5)
        let gradients = try [together, apart].map { try oracle.gradients(oracle.model, $0) }
        #expect(relativeError(gradients[0], gradients[1]) < 1e-4)
    }
}

/// The same on the stored models of the larger second source, every element of every gradient.
@Suite(.needsShared("reference/models")) struct SharedParityTests {
    @Test(arguments: ModelOracle.families, [true, false])
    func `log-probs, S and loss are torch's`(family: String, isShared: Bool) throws {
        try Parity(oracle: ModelOracle(shared: family)).checkScores(isShared: isShared)
    }

    @Test(arguments: ModelOracle.families, [true, false])
    func `every gradient is torch's`(family: String, isShared: Bool) throws {
        try Parity(oracle: ModelOracle(shared: family)).checkGradients(isShared: isShared)
    }

    @Test(arguments: ModelOracle.families)
    func `three RMSprop steps follow torch`(family: String) throws {
        let parity = try Parity(oracle: ModelOracle(shared: family))
        try parity.checkSteps(.rmsprop(), parity.expected.rmsprop)
    }

    @Test(arguments: ModelOracle.families)
    func `greedy tokens are those of transformers`(family: String) throws {
        try Parity(oracle: ModelOracle(shared: family)).checkGreedyTokens()
    }
}
