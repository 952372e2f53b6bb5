import LongWork
import Tensors

/// One stage of a model. Only the weights that the stage needs must be there; the others may be
/// placeholders (`Tensor(absent:)`), which are never read.
public struct StagedModel: Sendable {
    /// Trains only the stage's own parameters.
    public private(set) var model: LanguageModel
    public let stage: LayerStage
    /// The blocks of the stage with the most.
    let mostBlocks: Int
    /// The lowest block that a backward pass reaches, in any stage.
    let lowest: Int

    /// - Parameters:
    ///   - number: that of the stage, from 0, below `count`.
    ///   - count: number of stages, at most that of layers.
    /// - Throws: `ModelError.unknownFamily`.
    public init(_ model: LanguageModel, stage number: Int, of count: Int) throws {
        let stages = try LayerStage.division(of: model.configuration, into: count)
        precondition(stages.indices.contains(number), "stage \(number) of \(stages.count)")
        stage = stages[number]
        mostBlocks = stages.map(\.blocks.count).max() ?? 0
        let entries = model.parameters.layout.entries
        let depths = entries.lazy.filter(\.isTrainable).map(\.depth)
        lowest = min(model.configuration.layers, max(0, depths.min() ?? model.configuration.layers))
        let own = Set(
            stage.places(model.family).filter { entries[$0].isTrainable }.map { entries[$0].name })
        self.model = model.training(own.contains)
    }

    /// Whether the first stage uses the tensor with this name: then this one has it as the head.
    public func isInFirst(_ name: String) -> Bool {
        model.parameters.layout.entries.contains { $0.name == name && $0.depth < 0 }
    }

    /// Changes the stage's weights in place.
    public mutating func update<Result, Failure: Error>(
        _ body: (inout LanguageModel) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(&model)
    }

    func passage(_ link: any StageLink) -> Passage { Passage(stage, link) }

    /// The stage's part of `LanguageModel.logProbs`.
    ///
    /// - Returns: the log-probs in the last stage, nil in the others.
    /// - Throws: as `LanguageModel.logProbs`, in all stages alike.
    public func logProbs(
        _ forest: TokenForest, _ targets: [Target], _ link: any StageLink,
        watch: Watch = { _ in .more }
    ) throws -> [Float]? {
        try model.check(forest, targets)
        let scored = ScoredRows(targets)
        let logProbs = try model.logProbs(model.family, forest, scored, passage(link), watch)
        return logProbs.map(scored.inTargetOrder)
    }
}
