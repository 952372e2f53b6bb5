import LongWork
import Transformers

/// Gradients of the mean loss of some queries.
public struct Gradients: Sendable {
    /// `∂loss/∂θ`, one tensor a parameter.
    public var parameters: ParameterSet
    /// `√Σ g²`.
    public var norm: Double
    /// The mean of the objective over the queries, in nats, without the penalty.
    public var loss: Double
    /// Number of queries.
    public var queries: Int
    /// One for each query with two constitutions or more.
    public var contrasts: [Contrast]
    /// Mean KL(model ‖ reference) in nats a token; `nil` without a penalty.
    public var divergence: Double?
    /// Rows that went through the model.
    public var tokens: Int
}

/// Computes the gradients of the weights from S.
///
/// The loss depends on the weights through S alone. So a query's forward pass gives S, and S gives
/// `∂loss/∂S`. The upstream gradient of every scored token's log-prob is `∂loss/∂log p(y_j[k] |
/// c_i) = ∂loss/∂S_ij / |y_j|` (without the length for sums). Queries are accumulated one after
/// another; where memory is short, constitution rows are too.
public struct Backward: Sendable {
    public var objective: Objective
    public var score: ScoreSettings
    /// Weight of `KL(model ‖ reference)`, the mean over the places where a response token is
    /// predicted.
    public var beta: Double
    public var memory: MemoryPlan
    /// Queries go through the model together, up to this many rows.
    public var packRows = 1024

    public init(
        objective: Objective = .contrast, score: ScoreSettings = ScoreSettings(), beta: Double = 0,
        memory: MemoryPlan = .automatic
    ) {
        self.objective = objective
        self.score = score
        self.beta = beta
        self.memory = memory
    }

    /// - Parameters:
    ///   - reference: the model that the penalty keeps `model` near; needed if `beta` is not 0.
    ///   - progress: asked before every block of the model and after every pack of queries.
    /// - Throws: `AlignmentError`, which names the query whose scores or gradients are not finite;
    ///   `.stopped`, `.needsReference`; `ModelError` if memory does not suffice for one
    ///   constitution row.
    public func gradients(
        of batches: [ContrastBatch], model: LanguageModel, reference: LanguageModel? = nil,
        progress: (WorkProgress) -> Continuation = { _ in .more }
    ) throws -> Gradients {
        guard !batches.isEmpty else { throw AlignmentError.noRollouts }
        guard beta.isFinite, beta >= 0 else { throw AlignmentError.penalty(beta) }
        if beta > 0, reference == nil { throw AlignmentError.needsReference }
        guard let crew = model.activeCrew((any TrainingCrew).self) else {
            return try gradients(of: batches, in: nil, model, reference, progress)
        }
        var sum: Gradients
        do {
            sum = try crew.gradients(self, of: batches, model: model, reference: reference) {
                progress(
                    WorkProgress(
                        .backward, done: 0, of: batches.count,
                        underway: $0.underway * Double(batches.count), unit: .queries,
                        tokens: $0.tokens))
            }
        } catch is Canceled {
            throw AlignmentError.stopped(.backward, done: 0, of: batches.count)
        }
        sum.norm = sum.parameters.norm
        guard sum.norm.isFinite else {
            // One process need not have room for a model that is divided by layers.
            throw crew.dividesLayers
                ? .gradientNotFinite(query: nil, tensor: sum.parameters.firstNonFinite?.name)
                : firstNonFinite(batches, model.alone) {
                    progress(
                        WorkProgress(.backward, done: $0, of: batches.count, unit: .queries))
                }
        }
        return sum
    }

    /// - Parameter whole: the queries of the step, of which `batches` are a part, and the gradients
    ///   that part of a sum; nil if they are all.
    package func gradients(
        of batches: [ContrastBatch], in whole: StepExtent?, _ model: LanguageModel,
        _ reference: LanguageModel?, _ progress: (WorkProgress) -> Continuation
    ) throws -> Gradients {
        // The first report comes before the memory of the gradients is prepared.
        let start = WorkProgress(.backward, done: 0, of: batches.count, unit: .queries)
        guard progress(start) == .more else {
            throw AlignmentError.stopped(.backward, done: 0, of: batches.count)
        }
        let packs = ForestPack.packs(batches, rows: packRows)
        let extent = whole ?? StepExtent(packs)
        var sum = Gradients(model, divergence: beta > 0 ? 0 : nil)
        for pack in packs {
            let (done, tokens) = (sum.queries, sum.tokens)
            let share = Double(pack.scoredRows) / Double(extent.scoredRows)
            let penalty = reference.flatMap {
                beta > 0 ? Penalty(reference: $0, weight: Float(beta * share)) : nil
            }
            do {
                try add(pack, of: extent.queries, model, penalty, share, to: &sum) {
                    progress(
                        WorkProgress(
                            .backward, done: done, of: batches.count, finished: $0, of: pack,
                            tokens: tokens))
                }
            } catch is Canceled {
                throw AlignmentError.stopped(.backward, done: sum.queries, of: batches.count)
            }
            let step = WorkProgress(
                .backward, done: sum.queries, of: batches.count, unit: .queries,
                tokens: sum.tokens)
            if progress(step) == .stop, sum.queries < batches.count {
                throw AlignmentError.stopped(.backward, done: sum.queries, of: batches.count)
            }
        }
        sum.norm = sum.parameters.norm
        guard sum.norm.isFinite else {
            throw firstNonFinite(batches, model) {
                progress(WorkProgress(.backward, done: $0, of: batches.count, unit: .queries))
            }
        }
        return sum
    }

    private func add(
        _ pack: ForestPack, of count: Int, _ model: LanguageModel, _ penalty: Penalty?,
        _ share: Double, to sum: inout Gradients, _ watch: Watch
    ) throws {
        var values = PackValues()
        func coefficients(_ logProbs: [Float]) throws -> [Float] {
            values = try self.values(of: pack, logProbs, queries: count)
            return values.coefficients
        }
        var pack = pack
        let found: Backpropagation
        do {
            found = try model.backpropagate(
                pack.forest, pack.targets, penalty: penalty, into: &sum.parameters, memory: memory,
                watch: watch, coefficients)
        } catch ModelError.doesNotFit {
            // Constitutions that share their instructions form one tree. As separate trees they
            // need less memory.
            pack = pack.separatingRows
            found = try model.backpropagate(
                pack.forest, pack.targets, penalty: penalty, into: &sum.parameters, memory: memory,
                watch: watch, coefficients)
        }
        sum.add(pack, values, divergence: found.divergence, share: share)
    }

    /// The loss of a pack's queries and its derivatives by the log-probs of the pack's targets.
    ///
    /// - Parameter count: the queries of the step.
    func values(
        of pack: ForestPack, _ logProbs: [Float], queries count: Int
    ) throws -> PackValues {
        var values = PackValues()
        values.coefficients.reserveCapacity(logProbs.count)
        for part in pack.parts {
            let scores = QueryScores(part.batch, logProbs[part.targets], score)
            let value = try objective.value(scores.scores, query: part.batch.id.text)
            for (upstream, length) in zip(value.gradient.values, scores.lengths) {
                let share = score.normalize == .mean ? 1 / Double(length) : 1
                let coefficient = Float(upstream * share / Double(count))
                values.coefficients.append(contentsOf: repeatElement(coefficient, count: length))
            }
            values.loss += value.loss
            if let contrast = value.contrast { values.contrasts.append(contrast) }
        }
        values.loss /= Double(count)
        return values
    }

    /// The first query whose gradient is not finite. Each query runs on its own. Called only after
    /// the sum was not finite.
    ///
    /// - Parameter progress: asked with the number of queries that were looked at.
    private func firstNonFinite(
        _ batches: [ContrastBatch], _ model: LanguageModel, _ progress: (Int) -> Continuation
    ) -> AlignmentError {
        for (number, batch) in batches.enumerated() {
            var alone = Gradients(model, divergence: nil)
            var pack = ForestPack()
            pack.add(batch)
            do {
                try add(pack, of: 1, model, nil, 1, to: &alone) { _ in progress(number) }
            } catch let error as AlignmentError {
                return error
            } catch is Canceled {
                return .stopped(.backward, done: 0, of: batches.count)
            } catch {
                continue
            }
            if let tensor = alone.parameters.firstNonFinite?.name {
                return .gradientNotFinite(query: batch.id.text, tensor: tensor)
            }
        }
        return .gradientNotFinite(query: nil, tensor: nil)
    }
}

extension Gradients {
    /// Of no query yet.
    package init(_ model: LanguageModel, divergence: Double?) {
        self.init(
            parameters: ParameterSet(zeros: model.parameters.layout), norm: 0, loss: 0, queries: 0,
            contrasts: [], divergence: divergence, tokens: 0)
    }
}

/// The part of a step's loss that a pack of queries has.
struct PackValues {
    var coefficients: [Float] = []
    var loss = 0.0
    var contrasts: [Contrast] = []
}

extension Gradients {
    /// Counts a pack whose gradients were added.
    ///
    /// - Parameter share: the pack's share of the step's scored rows.
    mutating func add(
        _ pack: ForestPack, _ values: PackValues, divergence: Float?, share: Double
    ) {
        loss += values.loss
        queries += pack.parts.count
        contrasts += values.contrasts
        tokens += pack.forest.tokens.count
        if let found = divergence {
            self.divergence = (self.divergence ?? 0) + share * Double(found)
        }
    }
}

extension ForestPack {
    /// The same queries with a tree of its own for every constitution.
    var separatingRows: ForestPack {
        var pack = ForestPack()
        for part in parts { pack.add(part.batch, separatingRows: true) }
        return pack
    }
}

extension WorkProgress {
    /// A place within a pack of queries that go through the model together.
    ///
    /// - Parameters:
    ///   - share: the finished share of the pack, in 0...1.
    ///   - tokens: those of the packs before it.
    init(
        _ phase: Phase, done: Int, of total: Int, finished share: Double, of pack: ForestPack,
        tokens: Int
    ) {
        self.init(
            phase, done: done, of: total, underway: share * Double(pack.parts.count),
            unit: .queries, tokens: tokens + Int(share * Double(pack.forest.tokens.count)))
    }
}
