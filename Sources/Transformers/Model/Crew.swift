import LongWork

/// Other processes that compute for models, each with a copy of the weights or with some layers.
///
/// A model that has one (`LanguageModel.crew`) is scored, sampled and trained there. Text and steps
/// of training have protocols in the modules that know them: `CompletingCrew` in `TextModels`,
/// `TrainingCrew` in `Alignment`. The processes themselves are in `Ranks`.
public protocol Crew: AnyObject, Sendable {
    /// Number of processes; 0 after they have ended.
    var count: Int { get }
    /// Whether each process has a part of the layers. Then the model may be too large for this
    /// process, so that even a single response is theirs.
    var dividesLayers: Bool { get }

    /// `LanguageModel.logProbs` of several forests, divided over the processes.
    ///
    /// - Throws: `Canceled`; `ModelError`; an error that names the process that failed.
    func logProbs(
        of forests: [ScoredForest], _ model: LanguageModel,
        progress: (CrewProgress) -> Continuation
    ) throws -> [[Float]]
}

/// A forest and the targets whose log-probs are wanted.
public struct ScoredForest: Sendable {
    public var forest: TokenForest
    public var targets: [Target]

    public init(_ forest: TokenForest, _ targets: [Target]) {
        self.forest = forest
        self.targets = targets
    }
}

/// How far the processes of a crew are, together.
public struct CrewProgress: Sendable, Hashable {
    /// Finished parts of the work: responses, or forests.
    public var finished = 0
    /// The finished work on other parts, in parts.
    public var underway = 0.0
    /// Tokens that went through the model.
    public var tokens = 0

    public init(finished: Int = 0, underway: Double = 0, tokens: Int = 0) {
        self.finished = finished
        self.underway = underway
        self.tokens = tokens
    }
}

extension LanguageModel {
    /// The processes that compute for the model, if there are any.
    public func activeCrew<Kind>(_ kind: Kind.Type) -> Kind? {
        guard let crew, crew.count > 0 else { return nil }
        return crew as? Kind
    }

    /// Number of processes that compute for the model.
    public var processes: Int { max(1, crew?.count ?? 1) }

    /// The same model, computed by this process.
    public var alone: LanguageModel {
        var copy = self
        copy.crew = nil
        return copy
    }
}
