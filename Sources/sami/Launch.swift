import Foundation
import Rendering
import Sessions
import Shell

/// A session and the console that drives it, set up from the arguments.
final class Launch {
    let session: Session
    let console: Console
    let terminal: Terminal

    /// - Parameter isPlain: no color even on a terminal.
    /// - Throws: ``End`` if the workspace cannot be used; the reason is printed on standard error.
    init(
        _ configuration: Session.Configuration, _ output: OutputOptions, isPlain: Bool = false
    ) throws {
        let environment = ProcessInfo.processInfo.environment
        terminal = Terminal(environment: environment)
        NumericEnvironment.problems.forEach(Launch.complain)
        var configuration = configuration
        configuration.appearance = terminal.appearance
        do {
            session = try Session(configuration)
        } catch {
            Launch.complain("\(error)")
            throw End(status: .workspace)
        }
        var options = Console.Options()
        options.isJSON = output.json
        options.echoes = output.echo
        options.keepsGoing = output.keepGoing
        options.allowsColor = !isPlain
        options.historyPath = HistoryFile.defaultPath(environment: environment)
        // A session without a workspace keeps no history file either.
        options.savesHistory = configuration.access != .ephemeral
        options.greeting = session.greeting
        console = Console(session: session, terminal: terminal, options: options)
        console.watchSignals()
        if let seconds = output.timeLimit { console.end(after: seconds) }
    }

    /// Closes the session and ends the process.
    func finish(_ status: RunStatus) throws -> Never {
        let problems = session.close()
        for problem in problems { Launch.complain(problem) }
        var status = status
        if let problem = console.outputProblem {
            Launch.complain("the output could not be written: \(problem)")
            if status == .fine || status == .interrupted { status = .failed }
        }
        // A value that was not kept is no success, whatever the statements were.
        throw End(status: status == .fine && !problems.isEmpty ? .workspace : status)
    }

    /// Says something on standard error; one that takes nothing is no reason to end.
    static func complain(_ sentence: String) {
        try? FileHandle.standardError.write(contentsOf: Data("sami: \(sentence)\n".utf8))
    }
}
