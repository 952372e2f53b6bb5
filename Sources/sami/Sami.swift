import ArgumentParser
import Foundation
import Sessions
import Shell

/// The command-line arguments; other files do the work.
@main
struct Sami: ParsableCommand {
    static let version = "0.1.0"
    /// The name and version that journals record.
    static let program = "sami \(version)"

    static let configuration = CommandConfiguration(
        commandName: "sami",
        abstract: "A workbench for SAMI: align a language model to principles, step by step.",
        usage: """
            sami [--workspace PATH | --ephemeral]          a prompt
            sami -c 'load model default; describe model'   statements
            sami run FILE… [-p name=value]                 scripts and notebooks
            sami notebook run FILE                         a notebook, with its outputs
            sami < FILE                                    statements from a pipe
            """,
        discussion: "At the prompt, `help` lists the commands and `tour` shows a first session.",
        version: version,
        subcommands: [
            Run.self, NotebookCommand.self, KernelCommand.self, Serve.self, Replay.self,
            ManualPage.self,
        ])

    @Option(
        name: [.customShort("c"), .customLong("command")],
        help: ArgumentHelp("Run these statements and exit.", valueName: "statements"))
    var command: String?

    @OptionGroup(title: "Workspace") var workspace: WorkspaceOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func run() throws {
        let launch = try Launch(workspace.configuration, output, isPlain: command != nil)
        if let command {
            try launch.finish(launch.console.run(Session.parse(command)))
        } else if launch.terminal.inputIsTerminal {
            try launch.finish(launch.console.runInteractively())
        } else {
            try launch.finish(launch.console.runInput())
        }
    }

    /// Wrong usage exits with code 2, the usual one; the parser's own code is 64.
    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let end as End {
            Foundation.exit(end.status.rawValue)
        } catch {
            let isAsked = exitCode(for: error) == .success
            var text = fullMessage(for: error)
            if !isAsked, let script = CommandLine.arguments.dropFirst().first,
                FileManager.default.fileExists(atPath: script)
            {
                text += "\n  To run a script, write `sami run \(script)`."
            }
            try? FileHandle(fileDescriptor: isAsked ? 1 : 2).write(
                contentsOf: Data((text + "\n").utf8))
            Foundation.exit(isAsked ? 0 : RunStatus.usage.rawValue)
        }
    }
}

/// The exit status of the process, thrown past the parser.
struct End: Error {
    var status: RunStatus
}

struct WorkspaceOptions: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "The workspace's folder, session.samiws if none is named.", valueName: "path"))
    var workspace: String?

    @Flag(help: "Keep nothing: no workspace, no history.")
    var ephemeral = false

    @Flag(help: "Change nothing in the workspace.")
    var readOnly = false

    @Option(help: ArgumentHelp("The seed of random choices.", valueName: "number"))
    var seed: UInt64?

    @Option(help: ArgumentHelp("Start this many ranks, as `ranks` does.", valueName: "number"))
    var ranks: Int?

    var configuration: Session.Configuration {
        var configuration = Session.Configuration()
        configuration.workspace = workspace ?? "session.samiws"
        configuration.access = ephemeral ? .ephemeral : readOnly ? .readOnly : .readWrite
        configuration.seed = seed
        configuration.ranks = ranks
        configuration.program = Sami.program
        return configuration
    }

    func validate() throws {
        if let ranks, !(1...4096).contains(ranks) {
            throw ValidationError("--ranks is a number from 1 to 4096, not \(ranks)")
        }
        if ephemeral, readOnly {
            throw ValidationError(
                "--ephemeral keeps nothing, so --read-only has nothing to protect")
        }
    }
}

struct OutputOptions: ParsableArguments {
    @Flag(help: "Print one JSON object a statement.")
    var json = false

    @Flag(help: "Continue after a failed statement.")
    var keepGoing = false

    @Flag(help: "Show each statement before it runs.")
    var echo = false

    @Option(
        help: ArgumentHelp(
            "Stop after this time, as Ctrl-C would, and exit.", valueName: "seconds"))
    var timeLimit: UInt32?

    func validate() throws {
        if timeLimit == 0 { throw ValidationError("--time-limit must be a second or more") }
    }
}
