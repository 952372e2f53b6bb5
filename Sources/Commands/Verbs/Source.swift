import CommandLanguage
import Foundation
import Rendering
import Values

extension CommandTable {
    static let sourceCommand = Command(
        "source", .session, "runs the statements of a file here",
        about: """
            A prompt shows each statement with its comments before it runs. With pause=true it \
            waits there: Return runs the statement, q leaves the script, and another statement \
            can be typed first. Where no person is at a terminal, nothing waits.
            """,
        effect: .manages,
        operands: [.required("path", .path, "a script")],
        options: [
            OptionSpecification("pause", .flag, "wait before each statement; false")
        ],
        example: "source script.sami", run: source)

    private static func source(_ invocation: Invocation) throws -> CommandResult {
        let (data, shown) = try invocation.file("path")
        let pauses = try invocation.flag("pause") ?? false
        try invocation.session.run(script: data, file: shown, pauses ? .stepped : .shown)
        return CommandResult()
    }

    static let tourCommand = Command(
        "tour", .session, "a first session, command by command",
        about: """
            At a terminal each step waits: Return runs it, q leaves. The steps work in this \
            workspace and give values to names such as `model`; undo takes each back. Elsewhere \
            the steps are shown and not run, unless pause=false runs them all.
            """,
        effect: .manages,
        options: [
            OptionSpecification(
                "pause", .flag, "wait before each step; false runs them all; true")
        ],
        example: "tour", run: tour)

    private static func tour(_ invocation: Invocation) throws -> CommandResult {
        let pauses = try invocation.flag("pause") ?? true
        if pauses, invocation.session.askStep == nil { return CommandResult(text: Tour.shown) }
        try invocation.session.run(
            script: Data(Tour.script.utf8), file: "tour", pauses ? .stepped : .shown)
        return CommandResult()
    }
}

/// A first session: a script of the program itself.
package enum Tour {
    package static let script = """
        # SAMI, one command at a time. Here is the shipped model.
        # It follows principles only in part; `base` keeps it.
        load model default
        # Posts to summarize, of the shipped world.
        load queries summaries count=16
        # The model writes principles and their opposites.
        propose about=summaries
        # Two opposite constitutions for each query.
        compose count=2 principles_each=2
        # A response for each query and constitution.
        rollout
        # The words at which a principle acts.
        show rollouts[0][0]
        # S: the log-prob of each response under each constitution.
        score
        # The loss: does each response fit its own constitution?
        contrast
        # The gradients of the loss.
        backward
        # One step that way.
        update
        # The same with the changed model.
        score; contrast
        # The whole loop on new queries takes a minute.
        iterate 1
        # The trained model against its base.
        load queries summaries split=test count=100; judge
        # Takes back the last statement; `history` lists all of them.
        undo

        """

    /// The script for a reader.
    static var shown: StyledText {
        var text = StyledText()
        for line in script.split(separator: "\n") {
            text.line(String(line), line.hasPrefix("#") ? .faint : .name)
        }
        return text
    }
}
