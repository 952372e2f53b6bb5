import CommandLanguage
import Rendering
import Values
import Workspaces

extension CommandTable {
    static let describeCommand = Command(
        "describe", .looking, "shows the kind, content and origin of a value",
        about: """
            With evaluate=N a model of the shipped world is measured: adherence with a careful \
            author named and with none, malformed texts, copied details, and its principles, \
            from N queries each.
            """,
        effect: .looks,
        operands: [.required("value", .expression, "a name or any value")],
        options: [OptionSpecification("evaluate", .number, "queries to measure a model with")],
        example: "describe model", run: describe)

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
            return try evaluation(of: model, count, invocation)
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
            document.line(try ModelMemory.document(model.model))
        }
        if case .expression(let node) = argument.value, case .name(let name) = node.expression,
            invocation.session.isBound(name)
        {
            let provenance = try invocation.session.workspace.provenance(of: name)
            document.line("made by", .faint)
            describe(provenance, into: &document, invocation.appearance)
        }
        let data = Value.record([
            "kind": .text(value.kind), "summary": .text(value.summary),
            "fields": .list(
                fields.map { field in
                    var record: Record = ["name": .text(field.name)]
                    if !field.isLarge { record["value"] = try? value.field(field.name) }
                    record["meaning"] = .text(field.summary)
                    return .record(record)
                }),
        ])
        return CommandResult(document, invocation.appearance, data: data)
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
