import Alignment
import Tokenizers
import Values

extension CommandTable {
    static let trainCommand = Command(
        "train", .method, "the loop over score, contrast, backward and update",
        forms: [
            Command.Form(
                nil, "trains `model` on `rollouts`", makes: ["model", "log"],
                operands: [.optional("rollouts", .object("rollouts"), "in place of `rollouts`")],
                options: MethodKey.trainingAlone + MethodKey.update + MethodKey.planScore + [
                    MethodKey.preset, MethodKey.overflow, MethodKey.model, MethodKey.base,
                    MethodKey.seed,
                ],
                example: "train steps=1 accumulate=2", run: train),
            trainTokenizerForm,
        ])

    private static func train(_ invocation: Invocation) throws -> CommandResult {
        let model = try invocation.model()
        let rollouts = try invocation.object(RolloutsObject.self, "rollouts").rollouts
        var settings = try invocation.plan(for: model).train
        if !invocation.has("steps") { settings.steps = nil }
        try invocation.apply(to: &settings)
        return try train(model, on: rollouts, settings, done: "trained", invocation)
    }

    /// Trains to the end, until Ctrl-C, or on from a checkpoint; binds `model` and `log`.
    ///
    /// - Parameter done: the past participle of the verb, for the model's origin.
    static func train(
        _ model: ModelObject, on rollouts: Rollouts, _ settings: TrainSettings, done: String,
        _ invocation: Invocation
    ) throws -> CommandResult {
        let reference =
            settings.beta > 0 ? try invocation.object(ModelObject.self, "base").model : nil
        let (batches, note) = try batches(rollouts, model, settings.score, invocation)
        let earlier = try invocation.resumed.map {
            try TrainingStorage.restored($0, model.model)
        }
        var records = earlier?.log ?? []
        let follower = invocation.follower(losses: records.map(\.loss))
        defer { follower.finish() }
        var clock = CheckpointClock()
        let result: TrainResult
        do {
            result = try Trainer(settings, memory: invocation.session.settings.memoryPlan).train(
                earlier?.model ?? model.model, on: batches, reference: reference,
                from: earlier?.state, key: try invocation.randomKey(), progress: follower.follow
            ) { record, weights, state in
                records.append(record)
                follower.losses.append(record.loss)
                invocation.report(step: LogObject.row(record))
                if record.step < record.steps {
                    try clock.writeIfDue {
                        try invocation.keepCheckpoint(
                            "training", "step \(record.step) of \(record.steps)"
                        ) { try TrainingStorage.stored(weights, state, records) }
                    }
                }
                return invocation.cancel()
            }
        } catch AlignmentError.weightsNotFinite(let tensor, let count, let rate) {
            throw invocation.located(
                AlignmentError.weightsNotFinite(tensor: tensor, count: count, learningRate: rate),
                at: "learning_rate")
        }
        guard let last = records.last else {
            throw StoppedEarly(
                error: invocation.located(
                    EvaluationError.interrupted(
                        "stopped before the first step; nothing has changed")),
                work: .beginning)
        }
        var notes = [note].compactMap(\.self)
        if result.isStopped {
            let name = invocation.target?.name ?? "model"
            notes.append("stopped after step \(records.count); `\(name)` is the model of that step")
        }
        let log = LogObject(title: invocation.call.title, rows: records.map { LogObject.row($0) })
        var outcome = CommandResult()
        if result.isStopped {
            outcome.stopped = StoppedWork(
                progress: "step \(last.step) of \(last.steps)", kind: "training",
                state: try TrainingStorage.stored(result.model, result.state, records))
        }
        outcome.bindings = [
            ("model", .object(model.with(result.model, origin: "\(model.origin), \(done)"))),
            ("log", .object(log)),
        ]
        outcome.displays = [log.display(invocation.appearance).withoutJSON]
        outcome.notes = notes
        return outcome
    }
}
