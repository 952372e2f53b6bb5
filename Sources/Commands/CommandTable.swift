import CommandLanguage
import Values

/// The one table of verbs.
package enum CommandTable {
    package static let commands: [Command] = [
        loadCommand, exportCommand,
        proposeCommand, principleCommand, composeCommand, rolloutCommand, scoreCommand,
        contrastCommand,
        backwardCommand, updateCommand, trainCommand, iterateCommand, judgeCommand,
        generateCommand, chatCommand, tokenizeCommand, newCommand, pretrainCommand, finetuneCommand,
        adaptCommand,
        mergeCommand, serverCommand, probeCommand,
        explainCommand, nextCommand, logitsCommand, hiddenCommand, attentionCommand, lensCommand,
        showCommand, plotCommand, compareCommand, describeCommand, reportCommand, metricsCommand,
        ranksCommand,
        editCommand,
        lsCommand, rmCommand, undoCommand, redoCommand, historyCommand, replayCommand,
        resumeCommand, verifyCommand, gcCommand, packCommand, unpackCommand, openCommand,
        seedCommand, setCommand, helpCommand, tourCommand, sourceCommand, quitCommand, exitCommand,
    ]

    package static let grammar = CommandGrammar(
        verbs: commands.map(\.signature),
        functions: Function.all.map { function in
            FunctionSpecification(
                function.name, function.summary,
                keys: function.isOpen
                    ? [] : function.parameters.map { Choice($0.name, $0.summary) })
        })

    private static let byName = Dictionary(
        commands.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })

    package static func command(_ name: String) -> Command? { byName[name] }

    package static func form(of call: CommandCall) -> Command.Form? {
        byName[call.verb.name]?.form(call.form?.name)
    }

    /// The command that binds an object: "rollout" for `rollouts`, "load model default" for
    /// `model`.
    package static func maker(of object: String) -> String? {
        let preferred = [
            "model": "load model default", "base": "load model default",
            "tokenizer": "load tokenizer PATH",
        ]
        if let line = preferred[object] { return line }
        // The object's own verb comes before verbs that make it in addition to another object.
        for isMain in [true, false] {
            for command in commands {
                for form in command.forms.map(\.syntax) where form.makes.contains(object) {
                    guard !isMain || form.makes.first == object, command.name != "load" else {
                        continue
                    }
                    return [command.name, form.selector].compactMap(\.self).joined(separator: " ")
                }
            }
        }
        return object == "queries" ? "load queries PATH" : nil
    }
}
