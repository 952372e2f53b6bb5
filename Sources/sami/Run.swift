import ArgumentParser
import Notebooks
import Sessions
import Shell

import struct CommandLanguage.Program

struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run scripts and notebooks, one after the other.",
        discussion: "A script stops at its first error, and so does the run.")

    @Argument(
        help: ArgumentHelp(
            "Scripts, or notebooks of Jupyter; - is standard input.", valueName: "file"))
    var files: [String]

    @Option(
        name: [.customShort("p"), .customLong("parameter")], parsing: .singleValue,
        help: ArgumentHelp(
            "Set the value of a name, in place of the script's value.",
            valueName: "name=value"))
    var parameters: [Parameter] = []

    @Flag(
        help: ArgumentHelp(
            "Go on where an earlier run of the scripts stopped in this workspace.",
            discussion: "With the same parameters, it ends in what that run would have given."))
    var resume = false

    @Flag(name: [.short, .long], help: "Show a prompt after the scripts.")
    var interactive = false

    @OptionGroup(title: "Workspace") var workspace: WorkspaceOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    /// A script is one program, a notebook one for each cell.
    private static func programs(_ path: String) throws -> [(program: Program, mayFail: Bool)] {
        guard path.hasSuffix(".ipynb") else { return [(try readScript(path), false)] }
        let notebook = try Notebook.read(path)
        try notebook.requireLanguage(path: path)
        return notebook.programs(path: path)
    }

    func run() throws {
        let scripts: [(program: Program, mayFail: Bool)]
        do {
            // Reads all scripts first, so that a misspelled name is found at once and not after an
            // hour.
            scripts = try files.flatMap(Run.programs)
        } catch {
            Launch.complain("\(error)")
            throw End(status: .usage)
        }
        let launch = try Launch(workspace.configuration, output)
        if resume { launch.session.goOnWithEarlierRun() }
        let taken = scripts.map { ScriptParameters(of: $0.program) }
        for parameter in parameters {
            // With -i the prompt may read it.
            if !interactive, !taken.contains(where: { $0.takes(parameter.name) }) {
                Launch.complain(ScriptParameters.sentence(parameter.name, taken))
                try launch.finish(.usage)
            }
            do {
                try launch.session.setParameter(parameter.name, parameter.value)
            } catch let failure as Failure {
                Launch.complain("-p \(parameter.name)=\(parameter.value): \(failure.message)")
                try launch.finish(.usage)
            }
        }
        var status = RunStatus.fine
        for (script, mayFail) in scripts where !launch.session.isFinished {
            let found = launch.console.run(script)
            if found == .failed, mayFail { continue }
            if found != .fine { status = found }
            if found == .interrupted || (found != .fine && !output.keepGoing) { break }
        }
        if status == .interrupted, launch.session.workspaceIsKept, !launch.session.isFinished {
            Launch.complain("the same command with --resume goes on from here")
        }
        if resume, status == .fine, let sentence = launch.session.earlierRunIsWhole {
            Launch.complain(sentence)
        }
        if interactive, launch.terminal.inputIsTerminal, !launch.session.isFinished {
            _ = launch.console.runInteractively()
        }
        try launch.finish(status)
    }
}

/// The `name=value` of an option `-p`.
struct Parameter: ExpressibleByArgument {
    var name: String
    var value: String

    init?(argument: String) {
        guard let equals = argument.firstIndex(of: "="), equals > argument.startIndex else {
            return nil
        }
        name = String(argument[..<equals])
        value = String(argument[argument.index(after: equals)...])
    }
}
