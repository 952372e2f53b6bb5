import Alignment
import CommandLanguage
import Rendering
import Transformers

extension CommandTable {
    static let updateCommand = Command(
        "update", .method, "one optimizer step",
        about: """
            Changes `model` by `gradients`, and keeps the optimizer's state as \
            `optimizer`. Gradients fit the weights that they were computed on and no others; \
            `m1 = update …` and `m2 = update …` both start from `model`, as a sweep needs it. With \
            beta= the gradients are computed again with the penalty.
            """,
        makes: ["model", "optimizer"],
        operands: [.optional("gradients", .object("gradients"), "in place of `gradients`")],
        options: MethodKey.update + [
            OptionSpecification(
                "beta", .number, "weight of the KL penalty; default: that of `backward`"),
            MethodKey.preset, MethodKey.model, MethodKey.base,
        ],
        example: "update optimizer=rmsprop learning_rate=1e-5", run: update)

    private static func update(_ invocation: Invocation) throws -> CommandResult {
        var model = try invocation.model()
        var gradients = try invocation.object(GradientsObject.self, "gradients")
        if let beta = try invocation.number("beta", atLeast: 0), beta != gradients.beta {
            let rollouts = try invocation.object(RolloutsObject.self, "rollouts").rollouts
            gradients = try self.gradients(
                rollouts, objective: gradients.objective, score: gradients.score, beta: beta,
                invocation
            ).0
        }
        try checkSource(of: gradients, model, invocation)
        var update = try invocation.plan(for: model).train.update
        try invocation.apply(to: &update)
        var state = OptimizerState()
        let kept = invocation.session.optimizer(of: model)
        if let object = kept.object, object.rule == update.optimizer.rule.name,
            object.configuration == model.model.configuration
        {
            state = object.state
        }
        var weights = model.model
        let follower = invocation.follower()
        defer { follower.finish() }
        let report: Update.Report
        do {
            report = try update.apply(
                gradients.parameters, to: &weights, state: &state, progress: follower.follow)
        } catch AlignmentError.weightsNotFinite(let tensor, let count, let rate) {
            throw invocation.located(
                AlignmentError.weightsNotFinite(tensor: tensor, count: count, learningRate: rate),
                at: "learning_rate")
        }
        model = model.with(weights, origin: "\(model.origin), trained")
        let optimizer = OptimizerObject(
            state: state, rule: update.optimizer.rule.name,
            configuration: weights.configuration)
        var text = StyledText("\(invocation.target?.name ?? "model") changed: ", .heading)
        text.append(
            "\(update.optimizer.rule.name) step \(state.steps), learning rate "
                + "\(NumberText.significant(report.learningRate, digits: 3)), gradient norm "
                + NumberText.significant(report.gradientNorm, digits: 4)
                + (report.clipFactor < 1
                    ? ", clipped by \(NumberText.significant(report.clipFactor, digits: 3))" : ""))
        var result = CommandResult()
        result.bindings = [("model", .object(model)), ("optimizer", .object(optimizer))]
        result.displays = [Display(text)]
        if kept.isLost {
            result.notes = [
                "the optimizer's state of this model is not kept any more, so this is step 1 with "
                    + "fresh moments"
            ]
        }
        return result
    }

    /// Gradients belong to the weights that they were computed on.
    private static func checkSource(
        of gradients: GradientsObject, _ model: ModelObject, _ invocation: Invocation
    ) throws {
        guard let source = gradients.source, let number = model.madeBy, source.statement != number
        else { return }
        let name = invocation.written("model") ?? "model"
        let found = invocation.written("gradients") ?? "gradients"
        throw invocation.error(
            "`\(found)` were made from `\(source.name)` of statement \(source.statement); "
                + "`\(name)` is \(name == source.name ? "now " : "")of statement \(number)",
            suggestion: "compute them again: backward" + (name == "model" ? "" : " model=\(name)"),
            at: "gradients")
    }
}
