import Alignment
import CommandLanguage
import Values

extension CommandTable {
    static let finetuneCommand = Command(
        "finetune", .models, "teaches a model to write given responses",
        about: """
            Each response is a demonstration: a step raises its log-prob under its own \
            constitution, and compares nothing. SAMI needs no demonstrations; this makes the \
            instruction-finetuned model that it is measured against. `rollout`, `load rollouts`, \
            `load responses` and `load demonstrations` give responses. If `model` has adapters, \
            they train in place of the weights. Ctrl-C keeps the model of the last step.
            """,
        makes: ["model", "log"],
        operands: [.optional("rollouts", .object("rollouts"), "in place of `rollouts`")],
        options: MethodKey.finetuning + [
            MethodKey.overflow, MethodKey.model, MethodKey.base, MethodKey.seed,
        ],
        example: "finetune steps=1 accumulate=2", run: finetune)

    private static func finetune(_ invocation: Invocation) throws -> CommandResult {
        let model = try invocation.model()
        var rollouts = try invocation.object(RolloutsObject.self, "rollouts").rollouts
        rollouts.groups = rollouts.groups.flatMap(\.demonstrations)
        var settings = TrainSettings.finetuning
        try invocation.apply(to: &settings)
        return try train(model, on: rollouts, settings, done: "finetuned", invocation)
    }
}
