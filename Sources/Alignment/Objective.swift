/// What a training step makes smaller: a function of S, so that any step is the same work.
public enum Objective: String, Sendable, Codable, CaseIterable {
    /// SAMI's loss, the mean of rows and columns.
    case contrast
    /// The rows alone: which response was sampled under a constitution?
    case rows
    /// The columns alone: which constitution was a response sampled under?
    case columns
    /// `−mean_j S_jj`, each response under its own constitution: what finetuning on demonstrations
    /// makes smaller. Nothing is compared, so one constitution suffices.
    case likelihood

    /// The objective of one query in nats, and its derivative by S.
    ///
    /// - Throws: `AlignmentError.contrastShape` unless R is a positive multiple of C, and C ≥ 2
    ///   where constitutions are compared; `.scoreNotFinite` if an entry of S is not finite.
    public func value(
        _ scores: ScoreMatrix, query: String
    ) throws -> (loss: Double, gradient: ScoreMatrix, contrast: Contrast?) {
        if self == .likelihood, scores.constitutions == 1 {
            return try likelihood(scores, query: query, contrast: nil)
        }
        let parts = try ContrastParts(scores, query: query)
        let contrast = parts.contrast
        switch self {
        case .contrast: return (contrast.loss, contrast.gradient, contrast)
        case .likelihood: return try likelihood(scores, query: query, contrast: contrast)
        case .rows, .columns:
            let isRows = self == .rows
            let share = 1 / Double(scores.responses)
            var gradient = ScoreMatrix(zeros: scores.constitutions, scores.responses)
            for part in isRows ? parts.rows : parts.columns {
                for (other, softmax) in part.shares.enumerated() {
                    // ∂(lse − S_label)/∂S_other
                    let slope = share * (softmax - (other == part.label ? 1 : 0))
                    if isRows {
                        gradient[part.index, part.grid * scores.constitutions + other] = slope
                    } else {
                        gradient[other, part.index] = slope
                    }
                }
            }
            return (isRows ? contrast.row : contrast.column, gradient, contrast)
        }
    }

    private func likelihood(
        _ scores: ScoreMatrix, query: String, contrast: Contrast?
    ) throws -> (loss: Double, gradient: ScoreMatrix, contrast: Contrast?) {
        guard scores.constitutions >= 1, scores.responses >= 1,
            scores.responses % scores.constitutions == 0
        else {
            throw AlignmentError.contrastShape(
                query: query, constitutions: scores.constitutions, responses: scores.responses)
        }
        var gradient = ScoreMatrix(zeros: scores.constitutions, scores.responses)
        var loss = 0.0
        for response in 0..<scores.responses {
            let own = response % scores.constitutions
            guard scores[own, response].isFinite else {
                throw AlignmentError.scoreNotFinite(
                    query: query, constitution: own, response: response)
            }
            loss -= scores[own, response] / Double(scores.responses)
            gradient[own, response] = -1 / Double(scores.responses)
        }
        return (loss, gradient, contrast)
    }
}

extension RolloutGroup {
    /// Each constitution alone with its own responses: what `Objective.likelihood` learns from. The
    /// whole group would also score every response under the other constitutions.
    public var demonstrations: [RolloutGroup] {
        prompts.indices.map { index in
            RolloutGroup(
                id: id, constitutions: constitutions.isEmpty ? [] : [constitutions[index]],
                prompts: [prompts[index]], separator: separator, chat: chat,
                responses: responses.filter { $0.constitution == index }.map { response in
                    var response = response
                    response.constitution = 0
                    return response
                })
        }
    }
}
