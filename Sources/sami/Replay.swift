import ArgumentParser
import Commands
import Rendering
import Sessions
import Shell

struct Replay: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Run a session again from its journal, or run a script again, in a new workspace.",
        discussion: """
            The workspace itself is not changed. Statements write files in the working folder only.
            """)

    @Argument(
        help: ArgumentHelp("The workspace's folder, or a script.", valueName: "workspace"))
    var path: String

    @Flag(
        help: """
            Compare every value with the one that the session made: to the last bit on the machine \
            that made it, else numbers to within 0.001 of their size. A script is run twice.
            """)
    var check = false

    @Option(
        help: ArgumentHelp(
            "The number of the last statement to run, as in `history`.", valueName: "number"))
    var to: Int?

    @Option(
        help: ArgumentHelp(
            "A new workspace for the values; without it nothing is kept.", valueName: "path"))
    var into: String?

    @Flag(help: "Let statements write files outside the working folder.")
    var allowWrites = false

    @OptionGroup(title: "Output") var output: OutputOptions

    func run() throws {
        var configuration = Session.Configuration()
        configuration.access = .ephemeral
        let launch = try Launch(configuration, output)
        try launch.finish(try replay(launch))
    }

    /// The session that the launch opened only provides the console. The replay runs in a session
    /// of its own.
    private func replay(_ launch: Launch) throws -> RunStatus {
        var isUsable = true
        var wasStopped = false
        let session = launch.session
        let status = launch.console.runInterruptibly { events in
            do {
                var options = ReplayOptions()
                options.check = check
                options.upTo = to
                options.into = into
                options.allowsWrites = allowWrites
                var configuration = Session.Configuration()
                configuration.appearance = session.appearance
                configuration.program = Sami.program
                let result = try Session.replay(
                    path, options, configuration: configuration,
                    interruption: session.interruption, events: events)
                wasStopped = session.interruption.isRequested
                events(.display(Display(StyledText(result.summary))))
                return result.isWell
            } catch {
                Launch.complain("\(error)")
                isUsable = false
                return false
            }
        }
        return !isUsable ? .workspace : wasStopped ? .interrupted : status
    }
}
