import Alignment
import CommandLanguage
import Transformers
import Values

extension CommandTable {
    static let backwardCommand = Command(
        "backward", .method, "gradients of the mean loss, one tensor a parameter",
        makes: ["gradients"],
        operands: [.optional("rollouts", .object("rollouts"), "in place of `rollouts`")],
        options: MethodKey.score + [
            OptionSpecification(
                "objective", .words(MethodSettings.objectives),
                "the loss whose gradients are wanted; default: contrast"),
            OptionSpecification("beta", .number, "weight of the KL penalty; default: 0"),
            OptionSpecification("memory", .word, "limit for activations, such as 600MB"),
            MethodKey.model, MethodKey.base,
        ],
        example: "backward", run: backward)

    private static func backward(_ invocation: Invocation) throws -> CommandResult {
        let rollouts = try invocation.object(RolloutsObject.self, "rollouts").rollouts
        var score = ScoreSettings()
        try invocation.apply(to: &score)
        let (object, note) = try gradients(
            rollouts, objective: try invocation.word("objective", Objective.self) ?? .contrast,
            score: score, beta: try invocation.number("beta", atLeast: 0) ?? 0, invocation)
        return CommandResult("gradients", object, notes: [note].compactMap(\.self))
    }

    static func gradients(
        _ rollouts: Rollouts, objective: Objective, score: ScoreSettings, beta: Double,
        _ invocation: Invocation
    ) throws -> (GradientsObject, note: String?) {
        let model = try invocation.model()
        var memory = invocation.session.settings.memoryPlan
        if let text = try invocation.text("memory") {
            guard let bytes = Settings.bytes(text), bytes > 0 else {
                throw invocation.located(
                    EvaluationError.outOfRange(
                        role: "`memory`", rule: "a size such as 600MB",
                        found: Value.text(text).summary),
                    at: "memory")
            }
            memory = MemoryPlan(budget: bytes)
        }
        let reference = beta > 0 ? try invocation.object(ModelObject.self, "base").model : nil
        let (batches, note) = try batches(rollouts, model, score, invocation)
        let follower = invocation.follower()
        defer { follower.finish() }
        let gradients = try Backward(
            objective: objective, score: score, beta: beta, memory: memory
        ).gradients(
            of: batches, model: model.model, reference: reference, progress: follower.follow)
        let name = invocation.written("model") ?? "model"
        let object = GradientsObject(
            parameters: gradients.parameters, configuration: model.model.configuration,
            norm: gradients.norm, loss: gradients.loss, queries: gradients.queries,
            divergence: gradients.divergence, objective: objective, beta: beta, score: score,
            source: model.madeBy.map { ModelReference(name: name, statement: $0) })
        return (object, note)
    }
}
