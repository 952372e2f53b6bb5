/// One verb as a manual page shows it, from the table that `help` reads.
package struct VerbManual: Sendable {
    package struct Form: Sendable {
        package var usage: String
        package var summary: String
        package var arguments: [(name: String, meaning: String)]
    }

    package var name: String
    package var summary: String
    package var about: String
    package var forms: [Form]
}

extension CommandTable {
    /// All verbs in the order of `help`.
    package static func manual() -> [VerbManual] {
        Command.Group.allCases.flatMap { group in commands.filter { $0.group == group } }
            .map { command in
                VerbManual(
                    name: command.name, summary: command.summary, about: command.about,
                    forms: command.forms.map(\.syntax).map { form in
                        VerbManual.Form(
                            usage: Help.usage(command, form), summary: form.summary,
                            arguments: Help.arguments(form))
                    })
            }
    }
}
