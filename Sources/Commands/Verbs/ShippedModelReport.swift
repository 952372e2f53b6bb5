import Rendering
import ShippedWorld
import Values

extension CommandTable {
    /// `describe model evaluate=N`
    static func evaluation(
        of model: ModelObject, _ count: Int, _ invocation: Invocation
    ) throws -> CommandResult {
        var meter = invocation.meter("describe")
        defer { meter.finish() }
        let evaluation = ShippedModelEvaluation(
            try invocation.textModel(model), count: count, seed: invocation.session.seed,
            memory: invocation.session.settings.memoryPlan, cancel: invocation.cancel)
        let report = try evaluation.run { done, total in
            meter.update(done, of: total, unit: "rows")
        }
        guard let report else {
            throw invocation.located(EvaluationError.interrupted("stopped; nothing has changed"))
        }
        return CommandResult(
            value: .record(report.record),
            Display(report.document, invocation.appearance))
    }
}

extension ShippedModelEvaluation.Report {
    fileprivate var document: Document {
        var table = Table([
            .init("dimension"), .init("trained"), .init("careful author", isNumeric: true),
            .init("no author", isNumeric: true),
        ])
        func append(_ name: String, _ trained: String, _ pair: ShippedModelEvaluation.Pair) {
            table.append([
                name, trained, NumberText.percent(pair.careful.share),
                NumberText.percent(pair.unmarked.share),
            ])
        }
        for (dimension, answers) in adherence {
            append(dimension.name, dimension.isTrained ? "yes" : "held out", answers)
        }
        append("all", "", all)
        append("malformed", "", malformed)
        var document = Document("adherence at temperature 1, \(count) queries a row", .heading)
        document.line(table)
        document.line(
            "copied details right: \(NumberText.percent(detailShare)) of "
                + NumberText.grouped(details.total))
        document.line(
            "principles well-formed and opposite: \(NumberText.percent(principles.share)) of "
                + NumberText.count(principles.total, "pair"))
        return document
    }

    private var detailShare: Double { Double(details.right) / Double(max(1, details.total)) }

    fileprivate var record: Record {
        let dimensions = adherence.map { dimension, answers -> Value in
            .record([
                "dimension": .text(dimension.name), "trained": .bool(dimension.isTrained),
                "careful": .number(answers.careful.share),
                "unmarked": .number(answers.unmarked.share),
            ])
        }
        return [
            "dimensions": .list(dimensions), "careful": .number(all.careful.share),
            "unmarked": .number(all.unmarked.share),
            "malformed_careful": .number(malformed.careful.share),
            "malformed": .number(malformed.unmarked.share), "details": .number(detailShare),
            "writer": .number(principles.share), "count": Value(count),
        ]
    }
}
