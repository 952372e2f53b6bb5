import Layers
import NumberTypes

extension MemoryEstimate {
    /// The memory of one stage of a model that is divided by layers.
    ///
    /// Training is that of `Work.training`, with several queries on their way at a time: as many as
    /// there are stages from this one on.
    ///
    /// - Throws: `ModelError.unknownFamily`.
    public init(
        _ configuration: ModelConfiguration, _ format: StoredFormat, _ work: Work,
        _ arithmetic: Arithmetic = .float32, stage: LayerStage
    ) throws {
        try self.init(configuration, format, work, arithmetic)
        let (all, layers) = (try StageSizes(configuration), max(1, configuration.layers))
        let own = try StageSizes(configuration, stage)
        weights = own.bytes(format)
        if roundedWeights > 0 { roundedWeights = own.bytes(.bfloat16) }
        cache = cache / layers * stage.blocks.count
        if !stage.isLast { logits = 0 }
        guard
            case .training(
                let constitutions, let responses, let prompt, let response, _, let keeps) = work
        else { return }
        func share(_ bytes: Int) -> Int {
            Int(Double(bytes) * Double(own.trained) / Double(max(1, all.trained)))
        }
        trainedWeights = share(trainedWeights)
        gradients = share(gradients)
        moments = share(moments)
        let rows = Double(constitutions) * (Double(prompt) + Double(responses) * Double(response))
        let family = try Families.family(configuration)
        let (width, block) = (Double(configuration.hiddenSize), Double(family.activationWidth))
        let underway = Double(stage.count - stage.number)
        let kept = underway * Double(stage.blocks.count) * (keeps ? block : width)
        activations = Int(min(4 * rows * (kept + 2 * block + 6 * width), 0x1p60))
    }

    /// The memory of the process of the session beside the ranks: its own copies of trained
    /// weights and moments, and the gradients that it receives. Other weights stay in their files.
    public static func session(
        _ configuration: ModelConfiguration, moments: Int
    ) throws -> MemoryEstimate {
        let trained = 4 * (try StageSizes(configuration).trained)
        var estimate = try MemoryEstimate(
            configuration, .float32,
            .scoring(constitutions: 1, responses: 1, prompt: 1, response: 1))
        (estimate.weights, estimate.activations, estimate.logits) = (0, 0, 0)
        (estimate.trainedWeights, estimate.gradients) = (trained, trained)
        estimate.moments = moments * trained
        return estimate
    }
}

/// The elements of a model, or of a stage of it.
private struct StageSizes {
    var frozen = 0
    var trained = 0
    /// Elements of the adapters, which are kept in float32.
    var adapters = 0

    init(_ configuration: ModelConfiguration, _ stage: LayerStage? = nil) throws {
        let entries = try configuration.parameterLayout().entries
        let places = try stage.map { try $0.places(configuration) } ?? Array(entries.indices)
        for place in places {
            let count = entries[place].shape.reduce(1, *)
            if entries[place].isTrainable { trained += count } else { frozen += count }
        }
        if configuration.adapter != nil { adapters = trained }
    }

    /// Bytes as they are stored.
    func bytes(_ format: StoredFormat) -> Int {
        let stored = Double(frozen + trained - adapters)
        return Int(min(stored / Double(format.group) * Double(format.groupBytes), 0x1p60))
    }
}
