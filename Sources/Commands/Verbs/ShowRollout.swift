import Alignment
import CommandLanguage
import LongWork
import Rendering
import Tensors
import Tokenizers
import Transformers
import Values

/// Responses as token strips, and the tokens that could have stood where a constitution acts most.
extension CommandTable {
    /// The strips of a value that holds rollouts, `count` at most; nil for any other value.
    static func strips(
        of value: Value, count: Int, _ invocation: Invocation
    ) throws -> CommandResult? {
        switch value {
        case .object(let rollout as RolloutObject):
            return CommandResult(try strip(rollout, invocation), invocation.appearance)
        case .object(let group as QueryRolloutsObject):
            return try strips(
                "rollouts of \(group.group.id)",
                group.group.responses.indices.map {
                    RolloutObject(group: group.group, query: group.query, index: $0)
                }, count: count, invocation)
        case .object(let rollouts as RolloutsObject):
            return try strips(
                "rollouts: \(rollouts.summary)",
                rollouts.all.compactMap { $0.object(RolloutObject.self) }, count: count,
                invocation)
        default: return nil
        }
    }

    /// Strips of responses, one display each: a notebook shows and folds them one by one.
    private static func strips(
        _ title: String, _ rollouts: [RolloutObject], count: Int, _ invocation: Invocation
    ) throws -> CommandResult {
        let appearance = invocation.appearance
        var result = CommandResult(text: StyledText(title, .heading))
        for rollout in rollouts.prefix(count) {
            let strip = try strip(rollout, invocation)
            // A terminal has an empty line between the strips.
            var display = Display(strip, appearance)
            display.text = {
                var text = StyledText("\n")
                text.append(strip.rendered(appearance))
                return text
            }
            result.displays.append(display)
        }
        if rollouts.count > count {
            result.displays.append(
                Display(
                    StyledText("… and \(rollouts.count - count) more; count= shows them", .faint)))
        }
        return result
    }

    /// The response as a token strip, or as plain text if it cannot be scored.
    private static func strip(
        _ rollout: RolloutObject, _ invocation: Invocation
    ) throws -> Document {
        let group = rollout.group
        let own = rollout.response.constitution
        guard let model = try invocation.objectIfBound(ModelObject.self, "model") else {
            var document = rollout.document(invocation.appearance)
            document.line("a token strip needs `model`", .faint)
            return document
        }
        guard let other = try invocation.otherConstitution(of: rollout) else {
            return rollout.document(invocation.appearance)
        }
        let batch = try invocation.contrastBatch(rollout, model)
        let follower = invocation.follower(invocation.call.verb.name)
        defer { follower.finish() }
        guard
            let scores = try Scorer().score(
                [batch], model: model.model, perToken: true, progress: follower.follow
            ).first,
            let shifts = scores.shifts(response: rollout.index, from: other, to: own)
        else {
            var document = rollout.document(invocation.appearance)
            document.line(
                "the two prompts split this response differently, so there is no strip", .faint)
            return document
        }
        let tokenizer = model.tokenizer ?? (try? invocation.tokenizer(of: model))
        let tokens = scores.tokens[own * scores.scores.responses + rollout.index]
        var strip = TokenStrip(
            tokens: zip(tokens, shifts).map { token, shift in
                TokenStrip.Token(
                    text: tokenizer?.text(of: token) ?? "\(token) ", shift: Double(shift))
            })
        strip.showsFigures = try invocation.flag("figures") ?? false
        var document = Document("rollout of \(group.id)", .heading)
        document.append(", constitution \(own) against \(other)", .faint)
        for constitution in [own, other] where group.constitutions.indices.contains(constitution) {
            let columns = invocation.appearance.columns - 2
            if constitution == other { document.line("  against", .faint) }
            for line in TextWidth.wrapped(group.constitutions[constitution].text, to: columns) {
                document.line("  " + line, .faint)
            }
        }
        (strip.own, strip.other) = ("constitution \(own)", "\(other)")
        strip.remark =
            "The whole response: \(NumberText.signed(strip.total, decimals: 2)) nats. "
            + "Computed with \(invocation.written("model") ?? "`model`"), \(model.origin)."
        document.line(strip)
        if let count = try invocation.integer("alternatives", atLeast: 1, atMost: 100) {
            let alternatives = Alternatives(
                model: model.model, tokenizer: tokenizer, own: batch[own, rollout.index],
                other: batch[other, rollout.index], shifts: shifts)
            document.line(try alternatives.table(count, under: (own, other), invocation))
        }
        return document
    }
}

/// The other tokens that could have stood where a constitution acts most.
private struct Alternatives {
    let model: LanguageModel
    let tokenizer: Tokenizer?
    /// The same response after two prompts.
    let own, other: ContrastBatch.Sequence
    /// Of each token, how much more likely the own constitution makes it, in nats.
    let shifts: [Float]

    /// How many tokens of the response are looked at.
    static let places = 5

    /// The tokens with the largest shifts in the order of the text; below each, the `count`
    /// likeliest other tokens under either constitution.
    func table(_ count: Int, under: (Int, Int), _ invocation: Invocation) throws -> Table {
        let places = shifts.indices.sorted { shifts[$0].magnitude > shifts[$1].magnitude }
            .prefix(Self.places).sorted()
        let first = try invocation.looking(into: model) { try logits(own, places, $0) }
        let second = try invocation.looking(into: model) { try logits(other, places, $0) }
        var table = Table([
            .init("at", isNumeric: true), .init("token"),
            .init("under \(under.0)", isNumeric: true), .init("under \(under.1)", isNumeric: true),
            .init("nats", isNumeric: true),
        ])
        table.styles = [0: .faint]
        for (row, place) in places.enumerated() {
            let (one, two) = (line(first, row), line(second, row))
            let chosen = own.tokens[own.scored.lowerBound + place]
            let ids = [chosen] + others(one, two, but: chosen, count)
            let found = NextTokensObject.Distribution(one, at: ids)
            let beside = NextTokensObject.Distribution(two, at: ids)
            for (index, id) in ids.enumerated() {
                let change = found.logProbs[index] - beside.logProbs[index]
                table.append([
                    index == 0 ? "\(place)" : "",
                    (index == 0 ? "> " : "  ") + TokenName.quoted(TokenName.text(id, tokenizer)),
                    NumberText.percent(found.probabilities[index], decimals: 2),
                    NumberText.percent(beside.probabilities[index], decimals: 2),
                    NumberText.signed(change, decimals: 2),
                ])
            }
        }
        return table
    }

    private func logits(
        _ sequence: ContrastBatch.Sequence, _ places: [Int], _ watch: Watch
    ) throws -> Tensor {
        try model.logits(
            Array(sequence.tokens.dropLast()),
            rows: places.map { sequence.scored.lowerBound + $0 - 1 }, watch: watch)
    }

    private func line(_ logits: Tensor, _ row: Int) -> [Float] {
        let width = logits.columns
        return logits.withUnsafeBufferPointer { Array($0[row * width..<(row + 1) * width]) }
    }

    /// The likeliest tokens by the larger of the two probabilities.
    private func others(
        _ one: [Float], _ two: [Float], but chosen: Int32, _ count: Int
    ) -> [Int32] {
        let ids = Set(
            [one, two].flatMap { NextTokensObject.likeliest(count + 1, of: $0) }
        ).subtracting([chosen]).sorted()
        let (a, b) = (
            NextTokensObject.Distribution(one, at: ids),
            NextTokensObject.Distribution(two, at: ids)
        )
        let order = ids.indices.sorted {
            max(a.logProbs[$0], b.logProbs[$0]) > max(a.logProbs[$1], b.logProbs[$1])
        }
        return order.prefix(count).map { ids[$0] }
    }
}
