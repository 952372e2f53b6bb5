import CommandLanguage
import Rendering
import Values

extension CommandTable {
    static let helpCommand = Command(
        "help", .session, "explains a verb, a function or a kind of value", effect: .looks,
        operands: [
            .optional(
                "topic", .topic, "a verb, a function, a kind of value, a term or a page"),
            .optional("form", .word, "the form of the verb"),
        ],
        example: "help rollout", run: { try Help.run($0) })
}

/// Help, generated from the tables that parsing and dispatch use.
package enum Help {
    static func run(_ invocation: Invocation) throws -> CommandResult {
        let appearance = invocation.appearance
        guard let topic = try invocation.text("topic") else {
            return CommandResult(text: overview(appearance))
        }
        let form = try invocation.text("form")
        let meanings = try meanings(of: topic, form, invocation)
        guard var text = meanings.first else {
            let topics = topics.map(\.word)
            throw invocation.located(
                EvaluationError.unknownTopic(topic, nearest: nearest(topic, in: topics)),
                at: "topic")
        }
        // `log` is a function and a kind of value: both are explained.
        for meaning in meanings.dropFirst() {
            text.line("")
            text.line(meaning)
        }
        return CommandResult(text: text)
    }

    private static func meanings(
        of topic: String, _ form: String?, _ invocation: Invocation
    ) throws -> [StyledText] {
        let appearance = invocation.appearance
        var texts: [StyledText] = []
        if let command = CommandTable.command(topic) {
            if let form, command.form(form) == nil {
                let forms = command.forms.compactMap(\.syntax.selector)
                throw invocation.located(
                    EvaluationError.unknownTopic(
                        "\(topic) \(form)", nearest: nearest(form, in: forms)),
                    at: "form")
            }
            texts.append(help(command, form, appearance))
        }
        if form != nil { return texts }
        if let function = Function.named(topic) { texts.append(help(function, appearance)) }
        if let object = ObjectKinds.all[topic] { texts.append(help(object, appearance)) }
        if let constant = Constant.all.first(where: { $0.name == topic }) {
            texts.append(StyledText("\(topic)\n  \(constant.summary)"))
        }
        if topic == "time" {
            texts.append(
                StyledText("time STATEMENT\n  runs the statement and shows its duration"))
        }
        if topic == "functions" { texts.append(functions(appearance)) }
        if topic == "settings", let command = CommandTable.command("set") {
            texts.append(help(command, nil, appearance))
        }
        if let function = try invocation.session.value(of: topic)?.object(FunctionObject.self) {
            texts.append(StyledText("\(topic)\(function.source)\n  a function of this workspace"))
        }
        if let page = HelpPages.named(topic) { texts.append(help(page, appearance)) }
        return texts
    }

    /// Everything that `help` explains, with a line on each.
    package static var topics: [Choice] {
        CommandTable.commands.map { Choice($0.name, $0.summary) }
            + HelpPages.pages.map { Choice($0.name, $0.summary) }
            + [
                Choice("functions", "every function of expressions"),
                Choice("settings", "every setting"), Choice("time", "times a statement"),
            ] + Function.all.map { Choice($0.name, $0.summary) }
            + ObjectKinds.all.keys.sorted().map { Choice($0, "a kind of value") }
            + HelpPages.terms.map { Choice($0.name, "a term") }
    }

    private static func help(_ page: HelpPages.Page, _ appearance: Appearance) -> StyledText {
        var text = StyledText(page.name, .heading)
        for line in page.text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("  ") {
                text.line(String(line), .name)
            } else {
                for part in TextWidth.wrapped(String(line), to: appearance.columns) {
                    text.line(part)
                }
            }
        }
        return text
    }

    static func overview(_ appearance: Appearance) -> StyledText {
        var text = StyledText()
        for group in Command.Group.allCases {
            text.line(group.rawValue, .heading)
            var table = Table([.init("verb"), .init("meaning")])
            table.styles = [0: .name]
            table.wraps = true
            for command in CommandTable.commands where command.group == group {
                table.append(["  " + command.name, command.summary])
            }
            if group == .session {
                table.append(["  time", "runs a statement and shows its duration"])
            }
            text.line(table.rendered(appearance, showsTitles: false))
        }
        text.line("")
        let advice =
            "help VERB explains a verb, help language the statements, help functions the functions; "
            + "help nats, help constitution and so on explain terms; tour shows a first session."
        for line in TextWidth.wrapped(advice, to: appearance.columns) { text.line(line, .faint) }
        return text
    }

    static func help(_ command: Command, _ selector: String?, _ appearance: Appearance)
        -> StyledText
    {
        var text = StyledText()
        for form in command.forms where selector == nil || form.syntax.selector == selector {
            if !text.isEmpty { text.line("") }
            let syntax = form.syntax
            text.line(usage(command, syntax), .heading)
            text.line("  \(syntax.summary)")
            if !syntax.makes.isEmpty, syntax.makes != ["_"] {
                text.append("; makes ", .faint)
                text.append(syntax.makes.joined(separator: ", "), .name)
            }
            var table = Table([.init("key"), .init("meaning")])
            table.styles = [0: .name]
            table.wraps = true
            for argument in arguments(syntax) {
                table.append(["  " + argument.name, argument.meaning])
            }
            if !table.rows.isEmpty { text.line(table.rendered(appearance, showsTitles: false)) }
            text.line("  example: ", .faint)
            text.append(form.example)
        }
        if !command.about.isEmpty {
            text.line("")
            for line in TextWidth.wrapped(command.about, to: appearance.columns) { text.line(line) }
        }
        return text
    }

    /// `rollout [QUERIES] [temperature=…] …`
    static func usage(_ command: Command, _ form: CommandForm) -> String {
        var parts = [command.name]
        if let selector = form.selector { parts.append(selector) }
        for operand in form.operands {
            parts.append(operand.isRequired ? operand.title : "[\(operand.title)]")
        }
        if !form.options.isEmpty { parts.append("[key=value …]") }
        return parts.joined(separator: " ")
    }

    /// Operands in capitals and options as `key=`, each with its meaning.
    static func arguments(_ form: CommandForm) -> [(name: String, meaning: String)] {
        form.operands.map { ($0.title, describe($0.kind, $0.summary)) }
            + form.options.map { ("\($0.key)=", describe($0.kind, $0.summary)) }
    }

    private static func describe(_ kind: ArgumentKind, _ summary: String) -> String {
        let words = words(of: kind)
        guard !words.isEmpty else { return summary }
        return summary + " (" + words.joined(separator: ", ") + ")"
    }

    private static func words(of kind: ArgumentKind) -> [String] {
        switch kind {
        case .words(let choices): choices.map(word)
        case .either(let choices, let other): choices.map(word) + words(of: other)
        case .flag: ["true or false"]
        default: []
        }
    }

    private static func word(_ choice: Choice) -> String {
        choice.summary.isEmpty ? choice.word : "\(choice.word): \(choice.summary)"
    }

    private static func help(_ function: Function, _ appearance: Appearance) -> StyledText {
        var text = StyledText(function.usage, .heading)
        text.line("  \(function.summary)")
        for parameter in function.parameters {
            text.line("  \(parameter.name)", .name)
            text.append("  \(parameter.summary)")
        }
        text.line("  example: ", .faint)
        text.append(function.example)
        return text
    }

    private static func functions(_ appearance: Appearance) -> StyledText {
        var table = Table([.init("function"), .init("gives")])
        table.styles = [0: .name]
        table.wraps = true
        for function in Function.all { table.append([function.usage, function.summary]) }
        return table.rendered(appearance, showsTitles: false)
    }

    private static func help(_ object: any StorableObject.Type, _ appearance: Appearance)
        -> StyledText
    {
        var text = StyledText(object.kind, .heading)
        if let maker = CommandTable.maker(of: object.kind) {
            text.append("  made by ", .faint)
            text.append(maker)
        }
        var table = Table([.init("field"), .init("meaning")])
        table.styles = [0: .name]
        table.wraps = true
        for field in object.fieldNames { table.append(["  ." + field.name, field.summary]) }
        text.line(table.rendered(appearance, showsTitles: false))
        return text
    }
}
