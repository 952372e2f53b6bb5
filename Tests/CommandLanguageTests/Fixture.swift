@testable import CommandLanguage

/// A grammar with every kind of operand and value.
let grammar = CommandGrammar(
    verbs: [
        CommandSignature(
            "load", "reads a file",
            forms: [
                CommandForm(
                    "model", "reads a model", makes: ["model", "base"],
                    operands: [
                        .required("path", .either([Choice("default", "the shipped model")], .path))
                    ],
                    options: [
                        OptionSpecification("dtype", .words("float32", "bfloat16"), "in memory"),
                        OptionSpecification("as", .name, "another name"),
                    ]),
                CommandForm(
                    "queries", "reads queries", makes: ["queries"],
                    operands: [
                        .required("path", .either([Choice("summaries"), Choice("answers")], .path))
                    ],
                    options: [
                        OptionSpecification("split", .words("train", "test")),
                        OptionSpecification("count", .number, "how many"),
                    ]),
            ]),
        CommandSignature(
            "rollout", "samples responses", makes: ["rollouts"],
            operands: [.optional("queries", .value)],
            options: [
                OptionSpecification("temperature", .number, "0 is greedy"),
                OptionSpecification("top_p", .number),
                OptionSpecification("max_tokens", .number),
            ]),
        CommandSignature(
            "score", "scores", makes: ["logprobs"],
            options: [
                OptionSpecification("normalize", .words("mean", "sum"), "per token or not"),
                OptionSpecification("per_token", .flag),
            ]),
        CommandSignature(
            "update", "one step", makes: ["model"],
            options: [
                OptionSpecification("optimizer", .words("rmsprop", "adamw")),
                OptionSpecification("learning_rate", .number),
            ]),
        CommandSignature(
            "train", "the loop",
            forms: [
                CommandForm(
                    nil, "the loop", makes: ["model", "log"],
                    options: [OptionSpecification("epochs", .number)]),
                CommandForm("tokenizer", "makes a tokenizer", makes: ["tokenizer"]),
            ]),
        CommandSignature("generate", "tries the model", operands: [.required("prompt", .text)]),
        CommandSignature(
            "compare", "two values",
            operands: [.required("first", .value), .required("second", .value)]),
        CommandSignature("show", "shows", operands: [.required("value", .value)]),
        CommandSignature(
            "export", "writes a file",
            operands: [.required("value", .value), .required("file", .path)]),
        CommandSignature("rm", "forgets", operands: [.required("names", .name, repeats: true)]),
        CommandSignature(
            "judge", "compares models",
            options: [
                OptionSpecification(
                    "judge", .either([Choice("measured"), Choice("likelihood")], .path)),
                OptionSpecification("writer", .either([Choice("model")], .value)),
                OptionSpecification("memory", .word),
            ]),
        CommandSignature("iterate", "iterations", operands: [.optional("n", .number)]),
        CommandSignature("ls", "lists"),
        CommandSignature("help", "explains", operands: [.optional("topic", .word, repeats: true)]),
    ],
    functions: [
        FunctionSpecification("mean", "the average", keys: [Choice("axis")]),
        FunctionSpecification("max"), FunctionSpecification("len"), FunctionSpecification("f"),
    ])

/// A program as nested brackets, so that a test shows a tree in one line.
func tree(_ source: String) -> String {
    let program = grammar.parse(source)
    if let diagnostic = program.diagnostics.first { return "error: \(diagnostic.message)" }
    return program.statements.map(show).joined(separator: " | ")
}

private func show(_ statement: Statement) -> String {
    var text = statement.timed ? "time " : ""
    if !statement.targets.isEmpty {
        text += statement.targets.map(\.name).joined(separator: ", ") + " := "
    }
    switch statement.body {
    case .expression(let node): text += show(node)
    case .command(let call):
        let operands = call.operands.map { " \($0.role):\(show($0))" }.joined()
        let options = call.options.map { " \($0.key.name)=\(show($0.value))" }.joined()
        text += "{\(call.title)\(operands)\(options)}"
    case .loop(let loop):
        let names = loop.names.map(\.name).joined(separator: ", ")
        text += "for \(names) in \(show(loop.list)) \(show(loop.body))"
    case .choice(let choice):
        text += choice.branches.map { "if \(show($0.condition)) \(show($0.body))" }
            .joined(separator: " else ")
        if !choice.otherwise.isEmpty { text += " else " + show(choice.otherwise) }
    case .function(let function):
        text +=
            "(\(function.parameters.map(\.name).joined(separator: ", "))) -> "
            + show(function.body)
    }
    return text + (statement.hidden ? ";" : "")
}

private func show(_ statements: [Statement]) -> String {
    "<" + statements.map { show($0) }.joined(separator: " | ") + ">"
}

private func show(_ argument: Argument) -> String {
    switch argument.value {
    case .word(let word): "'\(word)"
    case .path(let path): "<\(path)>"
    case .name(let name): "@\(name)"
    case .expression(let node): show(node)
    }
}

func show(_ node: Node) -> String {
    switch node.expression {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .number(let value): value == value.rounded() ? "\(Int(value))" : "\(value)"
    case .text(let text): quoted(text)
    case .name(let name): name
    case .list(let items): "[" + items.map(show).joined(separator: " ") + "]"
    case .record(let entries):
        "{" + entries.map { "\($0.key.name): \(show($0.value))" }.joined(separator: " ") + "}"
    case .field(let base, let field): "\(show(base)).\(field.name)"
    case .index(let base, let subscripts):
        "\(show(base))[" + subscripts.map(show).joined(separator: ", ") + "]"
    case .unary(let operation, let operand): "(\(operation.rawValue) \(show(operand)))"
    case .binary(let operation, let left, let right):
        "(\(operation.rawValue) \(show(left)) \(show(right)))"
    case .call(let function, let arguments):
        "\(function.name)("
            + arguments.map { ($0.key.map { "\($0.name)=" } ?? "") + show($0.value) }
            .joined(separator: ", ") + ")"
    case .conditional(let condition, let value, let otherwise):
        "(\(show(value)) if \(show(condition)) else \(show(otherwise)))"
    case .comprehension(let item, let clauses):
        "[\(show(item))"
            + clauses.map { clause in
                switch clause {
                case .each(let names, let list):
                    " for \(names.map(\.name).joined(separator: ", ")) in \(show(list))"
                case .filter(let condition): " if \(show(condition))"
                }
            }.joined() + "]"
    case .replacement(let part, let value): "\(show(part)) <- \(show(value))"
    }
}

private func show(_ part: Subscript) -> String {
    switch part {
    case .at(let node): show(node)
    case .slice(let lower, let upper, let step, _):
        (lower.map(show) ?? "") + ":" + (upper.map(show) ?? "")
            + (step.map { ":" + show($0) } ?? "")
    case .rest: "..."
    }
}
