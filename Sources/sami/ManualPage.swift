import ArgumentParser
import Commands
import Foundation

/// `sami manual-page`: sami(1) in the man macros of roff, as `make install` installs it.
///
/// Arguments come from the argument parser's definitions and verbs from the command table, the two
/// places that `--help` and `help` read.
struct ManualPage: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manual-page", abstract: "Print the manual page in roff.",
        shouldDisplay: false)

    func run() throws {
        let help = try JSONDecoder().decode(HelpDump.self, from: Data(Sami._dumpHelp().utf8))
        print(ManualPage.roff(help.command, verbs: CommandTable.manual()), terminator: "")
    }

    static func roff(_ command: HelpDump.Command, verbs: [VerbManual]) -> String {
        var page = RoffPage(title: "sami", section: 1, source: Sami.program)
        page.section("NAME")
        page.paragraph("sami \u{2013} " + (command.abstract ?? ""))
        page.section("SYNOPSIS")
        page.preformatted(Sami.configuration.usage ?? "sami")
        page.section("DESCRIPTION")
        page.paragraph(command.discussion ?? "")
        page.section("OPTIONS")
        page.arguments(command)
        for subcommand in command.subcommands ?? [] where subcommand.isListed {
            page.section("SAMI \(subcommand.commandName.uppercased())")
            page.paragraph(subcommand.abstract ?? "")
            page.paragraph(subcommand.discussion ?? "")
            page.arguments(subcommand)
        }
        page.section("COMMANDS AT THE PROMPT AND IN SCRIPTS")
        for verb in verbs { page.verb(verb) }
        page.section("EXIT STATUS")
        for (status, meaning) in RunStatusManual.meanings {
            page.item("\(status)", meaning)
        }
        return page.text
    }
}

/// The part of the argument parser's description of a command that a manual page shows.
struct HelpDump: Decodable {
    struct Command: Decodable {
        var commandName: String
        var abstract: String?
        var discussion: String?
        var shouldDisplay: Bool?
        var arguments: [Argument]?
        var subcommands: [Command]?

        /// The parser adds `help` to every command.
        var isListed: Bool { shouldDisplay != false && commandName != "help" }
    }

    struct Argument: Decodable {
        struct Name: Decodable {
            var kind: String
            var name: String
        }

        var kind: String
        var names: [Name]?
        var valueName: String?
        var abstract: String?
        var defaultValue: String?
        var shouldDisplay: Bool

        /// `-w, --workspace path`.
        var usage: String {
            let spelled = (names ?? []).map { ($0.kind == "short" ? "-" : "--") + $0.name }
            switch kind {
            case "flag": return spelled.joined(separator: ", ")
            case "option": return spelled.joined(separator: ", ") + " " + (valueName ?? "value")
            default: return valueName ?? "value"
            }
        }
    }

    var command: Command
}

enum RunStatusManual {
    static let meanings = [
        (0, "Every statement succeeded."), (1, "A statement failed."),
        (2, "The command line was wrong."), (3, "The workspace cannot be used."),
        (130, "The run was interrupted."),
    ]
}

/// Text in the man macros of roff, man(7).
struct RoffPage {
    private(set) var text: String

    init(title: String, section: Int, source: String) {
        text = ".TH \(title.uppercased()) \(section) \"\" \"\(source)\"\n"
    }

    mutating func section(_ title: String) {
        text += ".SH \(RoffPage.escaped(title))\n"
    }

    mutating func subsection(_ title: String) {
        text += ".SS \(RoffPage.escaped(title))\n"
    }

    mutating func paragraph(_ words: String) {
        guard !words.isEmpty else { return }
        text += ".PP\n\(RoffPage.escaped(words))\n"
    }

    /// A term, and its meaning with an indent.
    mutating func item(_ term: String, _ meaning: String) {
        text += ".TP\n.B \(RoffPage.escaped(term))\n\(RoffPage.escaped(meaning))\n"
    }

    mutating func preformatted(_ lines: String) {
        text += ".nf\n\(RoffPage.escaped(lines))\n.fi\n"
    }

    mutating func arguments(_ command: HelpDump.Command) {
        for argument in command.arguments ?? [] where argument.shouldDisplay {
            let unless = argument.defaultValue.map { " Default: \($0)." } ?? ""
            item(argument.usage, (argument.abstract ?? "") + unless)
        }
    }

    mutating func verb(_ verb: VerbManual) {
        subsection(verb.name)
        paragraph(verb.summary)
        paragraph(verb.about)
        for form in verb.forms {
            item(form.usage, form.summary)
            if !form.arguments.isEmpty {
                text += ".RS\n"
                for argument in form.arguments { item(argument.name, argument.meaning) }
                text += ".RE\n"
            }
        }
    }

    /// A backslash starts an escape, a dot or a quote at the start of a line a request, and a plain
    /// hyphen may be set as a typographic one, which cannot be pasted into a shell.
    static func escaped(_ words: String) -> String {
        let escaped = words.replacing("\\", with: "\\e").replacing("-", with: "\\-")
        return escaped.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasPrefix(".") || $0.hasPrefix("'") ? "\\&" + $0 : String($0) }
            .joined(separator: "\n")
    }
}
