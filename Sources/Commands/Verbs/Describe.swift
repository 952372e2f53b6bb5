import CommandLanguage
import Rendering
import Transformers
import Values
import Workspaces

extension CommandTable {
    static let describeCommand = Command(
        "describe", .looking, "shows the kind, content and origin of a value",
        about: """
            With evaluate=N a model of the shipped world is measured: adherence with a careful \
            author named and with none, malformed texts, copied details, and its principles, \
            from N queries each. For a model it plans the memory of each kind of work, or with \
            shape= that of a published model; with ranks=N that of each rank of \
            `ranks N split=layers`.
            """,
        forms: [
            Command.Form(
                nil, "shows the kind, content and origin of a value",
                effect: .looks,
                operands: [.required("value", .expression, "a name or any value")],
                options: [
                    OptionSpecification("evaluate", .number, "queries to measure a model with"),
                    OptionSpecification(
                        "shape",
                        .words(ModelConfiguration.published.keys.sorted().map { Choice($0) }),
                        "plan the memory of this published model in bfloat16, in place of the model's own"
                    ),
                    OptionSpecification(
                        "prompt", .number, "tokens of a prompt, for the memory plan"),
                    OptionSpecification(
                        "response", .number, "tokens of a response, for the memory plan"),
                    OptionSpecification(
                        "ranks", .number, "plan the memory of so many ranks that divide the layers"),
                    OptionSpecification(
                        "machine", .number, "gigabytes of a rank's machine; default: 24"),
                ],
                example: "describe model", run: describe),
            Command.Form(
                "ranks", "shows the processes that compute for the session", effect: .looks,
                example: "describe ranks"
            ) { shown($0.session.crew, $0) },
        ])

    private static func describe(_ invocation: Invocation) throws -> CommandResult {
        guard let argument = invocation.argument("value") else { return CommandResult() }
        let value = try invocation.value(argument)
        if let count = try invocation.integer("evaluate", atLeast: 1, atMost: 100_000) {
            guard let model = value.object(ModelObject.self) else {
                throw invocation.located(
                    EvaluationError.wrongKind(
                        role: "what `evaluate` measures", expected: "a model", found: value.aKind),
                    at: "value")
            }
            return try evaluation(of: invocation.computing(model), count, invocation)
        }
        let memory = try memory(of: value, invocation)
        if let plan = try ranks(memory, invocation) {
            return CommandResult(
                try plan.document(), invocation.appearance, data: try plan.value())
        }
        if let memory, invocation.has("shape") {
            return CommandResult(
                try memory.document(), invocation.appearance, data: try memory.value())
        }
        var document = Document(value.kind, .heading)
        document.append("  \(value.summary)")
        // Of an object that is a list, the fields of the object, not those of its first item.
        var fields = value.fieldNames
        if case .object(let object) = value { fields = type(of: object).fieldNames }
        if !fields.isEmpty {
            var table = Table([.init("field"), .init("value"), .init("meaning")])
            table.styles = [0: .name, 2: .faint]
            table.wraps = true
            for field in fields.prefix(40) {
                let shown = field.isLarge ? "" : (try? value.field(field.name))?.brief ?? ""
                table.append([field.name, TextWidth.cut(shown, to: 28), field.summary])
            }
            document.line(table, showsTitles: false)
            if fields.count > 40 { document.line("… and \(fields.count - 40) more", .faint) }
        }
        if let model = value.object(ModelObject.self) {
            document.line("computed in ", .faint)
            document.append(precision(of: model, invocation))
        }
        if let memory { document.line(try memory.document()) }
        if case .expression(let node) = argument.value, case .name(let name) = node.expression,
            invocation.session.isBound(name)
        {
            let provenance = try invocation.session.workspace.provenance(of: name)
            document.line("made by", .faint)
            describe(provenance, into: &document, invocation.appearance)
        }
        var data: Record = [
            "kind": .text(value.kind), "summary": .text(value.summary),
            "fields": .list(
                fields.map { field in
                    var record: Record = ["name": .text(field.name)]
                    if !field.isLarge { record["value"] = try? value.field(field.name) }
                    record["meaning"] = .text(field.summary)
                    return .record(record)
                }),
        ]
        if let model = value.object(ModelObject.self) {
            data["precision"] = .text(precision(of: model, invocation))
        }
        return CommandResult(document, invocation.appearance, data: .record(data))
    }

    /// The precision in which statements compute with the model now.
    private static func precision(of model: ModelObject, _ invocation: Invocation) -> String {
        invocation.computing(model).model.parameters.arithmetic.isBFloat16 ? "bfloat16" : "float32"
    }

    /// The plan of the ranks that the command asks for; nil without `ranks`.
    private static func ranks(
        _ memory: ModelMemory?, _ invocation: Invocation
    ) throws -> RankMemory? {
        let machine = try invocation.integer("machine", atLeast: 1, atMost: 1 << 20)
        guard let memory, let count = try invocation.integer("ranks", atLeast: 1, atMost: 4096)
        else {
            if machine != nil {
                throw invocation.error("`machine` needs `ranks`", at: "machine")
            }
            return nil
        }
        return RankMemory(
            model: memory, ranks: count, machine: (machine ?? 24) * RankMemory.gigabyte)
    }

    /// The memory plan that the command asks for; nil for a value that is no model.
    private static func memory(
        of value: Value, _ invocation: Invocation
    ) throws -> ModelMemory? {
        let keys = ["shape", "prompt", "response", "ranks", "machine"]
        guard let object = value.object(ModelObject.self) else {
            if let key = keys.first(where: invocation.has) {
                throw invocation.located(
                    EvaluationError.wrongKind(
                        role: "a value with `\(key)`", expected: "a model", found: value.aKind),
                    at: "value")
            }
            return nil
        }
        let prompt = try invocation.integer("prompt", atLeast: 1, atMost: 1 << 20)
        let response = try invocation.integer("response", atLeast: 1, atMost: 1 << 20)
        if let name = try invocation.text("shape"),
            let published = ModelConfiguration.published[name]
        {
            return ModelMemory(published, .bfloat16, prompt: prompt, response: response)
        }
        let model = invocation.computing(object).model
        var memory = ModelMemory(
            model.configuration, model.weightFormat, prompt: prompt, response: response)
        memory.arithmetic = model.parameters.arithmetic
        return memory
    }

    /// The statements that led to a value, each below the statement that used its result.
    private static func describe(
        _ provenance: Provenance, into document: inout Document, _ appearance: Appearance
    ) {
        var shown = 0
        func line(_ place: Int, _ depth: Int) {
            guard provenance.steps.indices.contains(place), depth < 8, shown < 40 else { return }
            shown += 1
            let step = provenance.steps[place]
            var words = String(repeating: "  ", count: depth) + step.binding.name
            if let statement = step.statement {
                words += "  #\(statement.sequence)  \(TextWidth.oneLine(statement.source))"
                for file in statement.files.prefix(3) { words += "  [\(file.path)]" }
            }
            document.line(TextWidth.cut(words, to: appearance.columns))
            for input in step.inputs where input > place { line(input, depth + 1) }
        }
        line(0, 1)
    }
}
