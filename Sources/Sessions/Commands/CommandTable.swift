import CommandLanguage

/// The one table of verbs.
enum CommandTable {
    static let commands: [Command] =
        loadCommands + methodCommands + trainingCommands + modelCommands + lookCommands
        + exportCommands + workspaceCommands + sessionCommands

    static let vocabulary = Vocabulary(
        verbs: commands.map(\.verb),
        functions: Function.all.map { function in
            FunctionSpecification(
                function.name, function.summary,
                keys: function.isOpen
                    ? [] : function.parameters.map { Choice($0.name, $0.summary) })
        })

    private static let byName = Dictionary(
        commands.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })

    static func command(_ name: String) -> Command? { byName[name] }

    static func form(of call: CommandCall) -> Command.Form? {
        byName[call.verb.name]?.form(call.form?.name)
    }

    /// The command that binds a noun: "rollout" for `rollouts`, "load model default" for `model`.
    static func maker(of noun: String) -> String? {
        let preferred = ["model": "load model default", "base": "load model default"]
        if let line = preferred[noun] { return line }
        // The noun's own verb comes before the ones that make it besides something else.
        for isMain in [true, false] {
            for command in commands {
                for form in command.forms where form.makes.contains(noun) {
                    guard !isMain || form.makes.first == noun, command.name != "load" else {
                        continue
                    }
                    return [command.name, form.selector].compactMap(\.self).joined(separator: " ")
                }
            }
        }
        return noun == "queries" ? "load queries PATH" : nil
    }
}
