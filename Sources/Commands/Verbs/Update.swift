import Alignment
import CommandLanguage
import Rendering
import Transformers

extension CommandTable {
    static let updateCommand = Command(
        "update", .method, "one optimizer step",
        about: """
            Changes `model` by `gradients`, and keeps the optimizer's state as \
            `optimizer`. With beta= the gradients are computed again with the penalty.
            """,
        makes: ["model", "optimizer"],
        operands: [.optional("gradients", .value, "in place of `gradients`")],
        options: MethodKey.update + [
            OptionSpecification("beta", .number, "weight of the penalty to the base"),
            MethodKey.preset, MethodKey.model, MethodKey.base,
        ],
        example: "update optimizer=rmsprop learning_rate=1e-5", run: update)

    private static func update(_ invocation: Invocation) throws -> CommandResult {
        var model = try invocation.model()
        var gradients = try invocation.object(GradientsObject.self, "gradients")
        if let beta = try invocation.number("beta", atLeast: 0), beta != gradients.beta {
            let rollouts = try invocation.object(RolloutsObject.self, "rollouts").rollouts
            gradients = try self.gradients(
                rollouts, score: gradients.score, beta: beta, invocation
            ).0
        }
        var update = try invocation.plan(for: model).train.update
        try invocation.apply(to: &update)
        var state = OptimizerState()
        // The key `optimizer` names an optimizer, so the object comes directly from the workspace.
        if let kept = try invocation.session.value(of: "optimizer")?.object(OptimizerObject.self),
            kept.rule == update.optimizer.rule, kept.configuration == model.model.configuration
        {
            state = kept.state
        }
        var weights = model.model
        let report: Update.Report
        do {
            report = try update.apply(
                gradients.parameters, to: &weights, state: &state, cancel: invocation.cancel)
        } catch AlignmentError.weightsNotFinite(let tensor, let count, let rate) {
            throw invocation.located(
                AlignmentError.weightsNotFinite(tensor: tensor, count: count, learningRate: rate),
                at: "learning_rate")
        }
        model = model.with(weights, origin: "\(model.origin), trained")
        let optimizer = OptimizerObject(
            state: state, rule: update.optimizer.rule, configuration: weights.configuration)
        var text = StyledText("model changed: ", .heading)
        text.append(
            "\(update.optimizer.rule.rawValue) step \(state.steps), learning rate "
                + "\(NumberText.significant(report.learningRate, digits: 3)), gradient norm "
                + NumberText.significant(report.gradientNorm, digits: 4)
                + (report.clipFactor < 1
                    ? ", clipped by \(NumberText.significant(report.clipFactor, digits: 3))" : ""))
        var result = CommandResult()
        result.bindings = [("model", .object(model)), ("optimizer", .object(optimizer))]
        result.text = text
        return result
    }
}
