import ArgumentParser
import Sessions
import Shell

struct Replay: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Do a session again from its journal, without changing its workspace.")

    @Argument(help: ArgumentHelp("The workspace's folder.", valueName: "workspace"))
    var path: String

    @Flag(help: "Compare every value with the one that the session made.")
    var check = false

    @OptionGroup(title: "Output") var output: OutputOptions

    func run() throws {
        var configuration = Session.Configuration()
        configuration.access = .ephemeral
        let launch = try Launch(configuration, output)
        try launch.finish(try replay(launch))
    }

    /// The session that the launch opened only lends its console: what is replayed runs in one of
    /// its own.
    private func replay(_ launch: Launch) throws -> RunStatus {
        var isUsable = true
        var wasStopped = false
        let session = launch.session
        let status = launch.console.attend { report in
            do {
                let colour = session.appearance.color
                let result = try Session.replay(
                    path, check: check, appearance: session.appearance,
                    interruption: session.interruption, progress: session.progress
                ) { report(ShellOutcome($0, colour)) }
                wasStopped = session.interruption.isRequested
                if !output.json { report(ShellOutcome(text: result.summary)) }
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
