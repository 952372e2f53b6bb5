import CommandLanguage
import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import ShippedWorld
@testable import Values

@Suite struct CommandTableTests {
    @Test func `every verb of the language is there, once`() {
        let names = CommandTable.commands.map(\.name)
        #expect(Set(names).count == names.count)
        let expected = [
            "load", "propose", "principle", "compose", "rollout", "score", "contrast", "backward",
            "update",
            "train", "iterate", "judge", "generate", "tokenize", "new", "pretrain", "show", "plot",
            "edit", "compare", "export", "ls", "rm", "describe", "undo", "redo", "history",
            "replay",
            "resume", "verify", "gc", "pack", "unpack", "open", "seed", "set", "help", "tour",
            "source", "quit", "next", "logits", "hidden", "attention", "lens",
            "explain",
        ]
        #expect(Set(expected).subtracting(names) == [])
    }

    @Test func `every example parses as its own verb and form`() {
        for command in CommandTable.commands {
            for form in command.forms {
                let program = CommandTable.grammar.parse(form.example)
                #expect(program.diagnostics.isEmpty, "\(form.example)")
                guard case .command(let call)? = program.statements.first?.body else {
                    Issue.record("no command: \(form.example)")
                    continue
                }
                #expect(call.verb.name == command.name)
                #expect(call.form?.name == form.syntax.selector)
            }
        }
    }

    @Test func `every verb, form, key and operand says what it is`() {
        for command in CommandTable.commands {
            #expect(!command.summary.isEmpty, "\(command.name)")
            for form in command.forms {
                #expect(!form.syntax.summary.isEmpty, "\(command.name)")
                let keys = form.syntax.options.map(\.key)
                #expect(Set(keys).count == keys.count, "\(command.name) has a key twice: \(keys)")
                for option in form.syntax.options {
                    #expect(!option.summary.isEmpty, "\(command.name) \(option.key)")
                }
                for operand in form.syntax.operands {
                    #expect(!operand.summary.isEmpty, "\(command.name) \(operand.name)")
                }
            }
        }
    }

    @Test func `help explains every verb and form from the table`() throws {
        let bench = try Workbench()
        for command in CommandTable.commands {
            for form in command.forms {
                let topic = [command.name, form.syntax.selector].compactMap(\.self).joined(
                    separator: " ")
                let text = try bench.text("help \(topic)")
                #expect(text.contains("example: \(form.example)"), "\(topic)")
                for option in form.syntax.options { #expect(text.contains("\(option.key)=")) }
            }
        }
        for function in Function.all {
            #expect(try bench.text("help \(function.name)").hasPrefix(function.usage))
        }
        let overview = try bench.text("help")
        for command in CommandTable.commands { #expect(overview.contains(command.name)) }
    }

    @Test func `help on one verb reads`() throws {
        #expect(
            try Workbench().text("help contrast") == """
                contrast [LOGPROBS]
                  the loss, its accuracies and its bounds on information; makes loss
                  LOGPROBS  in place of `logprobs`; a matrix is fine
                  example: contrast

                Rows ask which response was sampled under a constitution, columns which
                constitution a response was sampled under. The bounds are on mutual information,
                in nats, and cannot exceed log C.
                """)
    }

    @Test func `help on what is not there suggests what is`() throws {
        #expect(
            try Workbench().complaint("help contras") == """
                error: there is no help on `contras`
                  help contras
                       ^~~~~~~
                  did you mean `contrast`?
                  try: help contrast
                """)
    }

    @Test func `each object's maker makes it`() {
        // A function is made by `name(a) = expression`, and by no verb; the others are items.
        let others = ["rollout", "query", "group", "S", "distribution", "function"]
        for kind in ObjectKinds.types.map({ $0.kind }) where !others.contains(kind) {
            let maker = CommandTable.maker(of: kind)
            #expect(maker != nil, "\(kind)")
        }
        #expect(CommandTable.maker(of: "rollouts") == "rollout")
        #expect(CommandTable.maker(of: "model") == "load model default")
        #expect(CommandTable.maker(of: "queries") == "load queries PATH")
    }

    @Test func `the tour's commands parse`() {
        let program = CommandTable.grammar.parse(Tour.script)
        #expect(program.diagnostics.isEmpty, "\(program.diagnostics)")
        let chapters = Tour.chapters
        #expect(program.statements.count == chapters.map(\.statements.count).reduce(0, +))
        #expect(chapters.allSatisfy { $0.statements.count >= 5 })
        // No step is left without an explanation.
        for chapter in chapters {
            for number in chapter.statements.indices.dropFirst() {
                let text = chapter.text(from: number)
                #expect(!text.hasPrefix("#>") && text.contains("\n#> "), "\(text)")
            }
        }
    }
}
