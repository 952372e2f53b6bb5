import ArgumentParser
import Dispatch
import Foundation
import Rendering
import Serving
import Sessions
import Shell

import struct CommandLanguage.CommandGrammar

/// `sami serve`: the models of a workspace for other programs on this machine.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve models on this machine with OpenAI's API.",
        discussion: """
            Serves /v1/models, /v1/completions (with echo and log-probs) and \
            /v1/chat/completions on 127.0.0.1, to evaluation harnesses, chat clients or another \
            sami: `server trained url="http://127.0.0.1:8080/v1" model="model"`. The workspace is \
            only read. A model is named as in the workspace: model, base.
            """)

    @Argument(
        help: ArgumentHelp(
            "A model to load, as in `load model MODEL`; default: those of the workspace.",
            valueName: "model"))
    var model: String?

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("The port; 0 takes any free one.", valueName: "number"))
    var port: UInt16 = 8080

    @Flag(help: "Tell each request on standard error.")
    var verbose = false

    @OptionGroup(title: "Workspace") var workspace: WorkspaceOptions

    func validate() throws {
        if model != nil, workspace.workspace != nil {
            throw ValidationError("a model is loaded without a workspace: give one of both")
        }
        if model == nil, workspace.ephemeral {
            throw ValidationError(
                "--ephemeral opens no workspace: name a model, as in `sami serve default`")
        }
    }

    func run() throws {
        var configuration = workspace.configuration
        configuration.access = model == nil ? .readOnly : .ephemeral
        let session: Session
        do {
            session = try Session(configuration)
        } catch {
            Launch.complain("\(error)")
            throw End(status: .workspace)
        }
        if let model {
            let outcomes = session.outcomes(of: "load model (\(CommandGrammar.literal(model)))")
            if case .failure(let failure)? = outcomes.last?.result {
                Launch.complain(failure.message)
                throw End(status: .failed)
            }
        }
        let (models, notes) = try session.servedModels()
        notes.forEach(Launch.complain)
        guard !models.isEmpty else {
            Launch.complain(
                "this workspace has no model; `sami serve default` serves the shipped one")
            throw End(status: .failed)
        }
        let isVerbose = verbose
        let server = try ModelServer(models, port: port, seed: session.seed) { line in
            // A client may write control characters into it.
            if isVerbose { Launch.complain(TextWidth.oneLine(line)) }
        }
        Serve.raiseDescriptorLimit()
        SignalWatch.start { signal in
            switch signal {
            case .interrupt, .terminate: Task { await server.stop() }
            case .stop, .resume, .resize: break
            }
        }
        let names = models.map { "`\($0.name)`" }.joined(separator: ", ")
        let problem = Serve.wait {
            async let served: Void = server.run()
            if let port = try? await server.listeningPort() {
                let line = "\(names) at http://127.0.0.1:\(port)/v1; Ctrl-C ends\n"
                try? FileHandle.standardOutput.write(contentsOf: Data(line.utf8))
            }
            try await served
        }
        session.close()
        if let problem {
            Launch.complain("port \(port): \(problem.localizedDescription)")
            throw End(status: .failed)
        }
    }

    /// Every client takes a descriptor, and shells allow 1024 unless a program asks for more.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        let descriptors = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(descriptors, &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(descriptors, &limit)
    }

    /// Waits for asynchronous work on a thread of its own; returns its error.
    private static func wait(_ work: @escaping @Sendable () async throws -> Void) -> (any Error)? {
        let done = DispatchSemaphore(value: 0)
        let found = ErrorBox()
        Task {
            do { try await work() } catch { found.error = error }
            done.signal()
        }
        done.wait()
        return found.error
    }
}

/// An error that one task leaves for the thread that waits for it.
private final class ErrorBox: @unchecked Sendable {
    var error: (any Error)?
}
