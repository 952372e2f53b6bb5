import CommandLanguage
import Foundation
import Rendering
import Values

extension CommandTable {
    static let tourCommand = Command(
        "tour", .session, "the whole method, step by step",
        about: """
            Five chapters: the loss, tokens and prompts, one step, an iteration and a judgement, \
            the trained model. At a terminal each step waits: Return runs it, q leaves, and tour \
            goes on there, in this workspace also on another day. The steps give values to names \
            such as `model`; undo takes each back. Elsewhere the steps are shown and not run, \
            unless pause=false runs them all, in about two minutes.
            """,
        effect: .manages,
        options: [
            OptionSpecification(
                "chapter", .number, "begin with this chapter; default: where you left"),
            OptionSpecification(
                "pause", .flag, "wait before each step; false runs them all; true"),
        ],
        example: "tour", run: tour)

    private static func tour(_ invocation: Invocation) throws -> CommandResult {
        let pauses = try invocation.flag("pause") ?? true
        let session = invocation.session
        let chapters = Tour.chapters
        var place = Tour.Place(chapter: 0, statement: 0)
        if let chapter = try invocation.integer("chapter", atLeast: 1, atMost: chapters.count) {
            place.chapter = chapter - 1
        } else if pauses, session.askStep != nil {
            place = Tour.place(after: session.workspace.history.map(\.source))
        }
        if pauses, session.askStep == nil { return CommandResult(text: Tour.shown) }
        guard place.chapter < chapters.count else {
            return CommandResult(
                text: StyledText(
                    "this workspace has seen the whole tour; tour chapter=1 begins again", .faint))
        }
        for chapter in chapters[place.chapter...] {
            let text = chapter.text(from: place.statement)
            place.statement = 0
            let isWhole = try session.run(
                script: Data(text.utf8), file: "tour", pauses ? .stepped : .shown)
            guard isWhole else {
                return CommandResult(text: StyledText("tour goes on there", .faint))
            }
        }
        return CommandResult()
    }
}

/// The whole method as a script of the program itself, in chapters.
package enum Tour {
    /// A statement of the tour.
    struct Place: Equatable {
        /// From 0; the number of chapters at the end.
        var chapter: Int
        /// Its number in the chapter, from 0.
        var statement: Int
    }

    struct Chapter {
        let source: String
        let statements: [Statement]

        init(_ source: String) {
            self.source = source
            statements = CommandTable.grammar.parse(source).statements
        }

        /// The rest from a statement on, with the comments before it.
        func text(from number: Int) -> String {
            guard number > 0 else { return source }
            let rest = source.utf8.dropFirst(statements[number - 1].span.upper)
            var lines = String(decoding: rest, as: UTF8.self)
                .split(separator: "\n", omittingEmptySubsequences: false)
            // The rest of the statement's line, and the explanation of its output.
            lines = Array(lines.dropFirst().drop { $0.isEmpty || $0.hasPrefix("#>") })
            return lines.joined(separator: "\n")
        }
    }

    static var chapters: [Chapter] {
        var sources: [String] = []
        for line in script.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.prefixMatch(of: #/# \d\. /#) != nil { sources.append("") }
            guard !sources.isEmpty else { continue }
            sources[sources.count - 1] += line + "\n"
        }
        return sources.map(Chapter.init)
    }

    /// The place where a workspace with this journal goes on. Statements that only look are not in
    /// a journal, so it is the one after the last statement that is.
    static func place(after journal: [String]) -> Place {
        var path: [(place: Place, source: String)] = []
        for (chapter, content) in chapters.enumerated() {
            for (number, statement) in content.statements.enumerated() where isJournaled(statement)
            {
                path.append(
                    (Place(chapter: chapter, statement: number), statement.source))
            }
        }
        var count = 0
        for source in journal {
            if count < path.count, source == path[count].source {
                count += 1
            } else if source == path[0].source {
                count = 1
            }
        }
        guard count > 0 else { return Place(chapter: 0, statement: 0) }
        guard count < path.count else { return Place(chapter: chapters.count, statement: 0) }
        let last = path[count - 1].place
        return last.statement + 1 < chapters[last.chapter].statements.count
            ? Place(chapter: last.chapter, statement: last.statement + 1)
            : Place(chapter: last.chapter + 1, statement: 0)
    }

    private static func isJournaled(_ statement: Statement) -> Bool {
        switch statement.body {
        case .command(let call): CommandTable.form(of: call)?.effect != .looks
        case .expression: statement.target != nil
        case .loop, .choice, .function: true
        }
    }

    /// The script for a reader.
    static var shown: StyledText {
        var text = StyledText()
        for line in script.split(separator: "\n", omittingEmptySubsequences: false) {
            text.line(String(line), line.hasPrefix("#") ? .faint : .name)
        }
        return text
    }
}
