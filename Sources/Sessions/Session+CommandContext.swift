import CommandLanguage
import Commands
import Files
import Foundation
import Values
import Workspaces

/// The session's interface for commands.
extension Session: CommandContext {
    package var isInterrupted: Bool { stopWatch() }

    package var stopWatch: @Sendable () -> Bool {
        { [interruption, outerInterruption] in
            interruption.isRequested || outerInterruption?.isRequested == true
        }
    }

    package var progress: ((Progress) -> Void)? {
        events.map { send in { send(.progress($0)) } }
    }

    package func isBound(_ name: String) -> Bool {
        bindings.info(name) != nil || block?.value(of: name) != nil
    }

    package func noteInput(_ file: InputFile) { inputFiles.append(file) }

    package func keepAll() -> [String] { bindings.keepAll() }

    package func requireWritable(at span: SourceSpan) throws {
        guard workspace.isWritable else {
            throw LocatedError(error: EvaluationError.readOnly, span: span)
        }
    }

    package func forgetLastResult() {
        lastResult = nil
        unjournaled = nil
    }

    package func finish() { isFinished = true }

    package func open(_ path: String, access: Access) throws -> [String] {
        // Its lock is held by this process, so it would be opened for reading only.
        if access == .readWrite, workspace.isWritable, FileSystem.isSame(path, workspace.path) {
            return ["it is open already"]
        }
        let next = try Workspace.open(
            path, mode: access.mode, program: program, machine: NumericEnvironment.description)
        notices = bindings.keepAll()
        workspace.close()
        bindings = Bindings(next)
        forgetLastResult()
        seed = Session.lastSeed(of: next) ?? seed
        shift = Session.lastShift(of: next)
        welcome()
        defer { notices = [] }
        return notices
    }

    package func replay(
        _ path: String?, _ options: ReplayOptions
    ) throws -> (isWell: Bool, summary: String) {
        let outer = events
        // The statements of a replay are not the user's: of their events only progress is shown.
        let events: (SessionEvent) -> Void = { if case .progress = $0 { outer?($0) } }
        var configuration = Session.Configuration()
        configuration.directory = directory
        configuration.appearance = appearance
        configuration.program = program
        if let path, path != workspace.path {
            return try Session.replay(
                path, options, configuration: configuration, interruption: interruption,
                events: events)
        }
        configuration.access = options.into == nil ? .ephemeral : .readWrite
        configuration.workspace = options.into ?? ""
        if let into = options.into, FileManager.default.fileExists(atPath: into) {
            throw WorkspaceError.alreadyThere(into)
        }
        let fresh = try Session(configuration)
        fresh.outerInterruption = interruption
        return try Session.replay(workspace, fresh, options, events)
    }
}
