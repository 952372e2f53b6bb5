import ArgumentParser
import Commands
import Foundation
import JupyterKernel
import Sessions
import Shell

/// `sami kernel`: the language in JupyterLab, in consoles and in pipelines of Jupyter.
struct KernelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernel", abstract: "Make the language known to Jupyter.",
        subcommands: [
            InstallKernel.self, ListKernels.self, UninstallKernel.self, RunKernel.self,
        ])
}

/// Where a kernel is installed; for the person alone if nothing is said.
struct KernelPlace: ParsableArguments {
    @Flag(help: "For you alone; this is the default.")
    var user = false

    @Flag(help: "Into the Python environment that is active.")
    var sysPrefix = false

    @Option(help: ArgumentHelp("Below this folder, such as /usr/local.", valueName: "folder"))
    var prefix: String?

    func validate() throws {
        guard [user, sysPrefix, prefix != nil].count(where: \.self) <= 1 else {
            throw ValidationError("--user, --sys-prefix and --prefix exclude each other")
        }
        if sysPrefix, KernelPlace.activePrefix == nil {
            throw ValidationError(
                "--sys-prefix needs an active environment: VIRTUAL_ENV and CONDA_PREFIX are not set"
            )
        }
    }

    private static var activePrefix: String? {
        let environment = ProcessInfo.processInfo.environment
        return environment["VIRTUAL_ENV"] ?? environment["CONDA_PREFIX"]
    }

    var spec: KernelSpec {
        let folder = sysPrefix ? KernelPlace.activePrefix : prefix
        return KernelSpec(
            folder.map { .prefix(KernelCommand.absolute($0)) } ?? .user,
            environment: ProcessInfo.processInfo.environment)
    }
}

extension KernelCommand {
    fileprivate static func absolute(_ path: String) -> String {
        Paths.absolute(path, in: FileManager.default.currentDirectoryPath)
    }

    fileprivate static func attempt(_ work: () throws(KernelError) -> Void) throws {
        do throws(KernelError) {
            try work()
        } catch {
            Launch.complain("\(error)")
            throw End(status: .failed)
        }
    }
}

struct InstallKernel: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "install", abstract: "Let clients of Jupyter find this program.",
        discussion: """
            Each notebook keeps a workspace of its own beside it: lesson.samiws for lesson.ipynb. A \
            client that does not name its notebook, such as a console, keeps nothing. --workspace \
            names one workspace for all. The options about the workspace hold for every kernel.
            """)

    @OptionGroup var place: KernelPlace

    @OptionGroup(title: "Workspace") var workspace: WorkspaceOptions

    func run() throws {
        let spec = place.spec
        try KernelCommand.attempt { () throws(KernelError) in
            // The path by which the program was started may be relative, or a link.
            guard let executable = Bundle.main.executablePath else {
                throw KernelError("the path of this program is not known")
            }
            try spec.install(
                executable: executable, arguments: workspace.kernelArguments)
        }
        print("installed: \(spec.folder)")
    }
}

extension WorkspaceOptions {
    /// The arguments by which a kernel has these options, wherever a client starts it.
    fileprivate var kernelArguments: [String] {
        (workspace.map { ["--workspace", KernelCommand.absolute($0)] } ?? [])
            + (ephemeral ? ["--ephemeral"] : []) + (readOnly ? ["--read-only"] : [])
            + (seed.map { ["--seed", "\($0)"] } ?? [])
    }
}

struct ListKernels: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show where the kernel is installed.")

    func run() throws {
        let environment = ProcessInfo.processInfo.environment
        let installed = KernelSpec.all(environment: environment).filter(\.isInstalled)
        for spec in installed {
            print(spec.folder)
            guard let executable = spec.executable else {
                print("  kernel.json cannot be read; `sami kernel install` writes it again")
                continue
            }
            print("  starts \(executable)")
            if !FileManager.default.isExecutableFile(atPath: executable) {
                print("  this program is gone; `sami kernel install` names the present one")
            }
        }
        if installed.isEmpty {
            print("the kernel is not installed; `sami kernel install` does it")
        }
    }
}

struct UninstallKernel: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "uninstall", abstract: "Remove what `sami kernel install` wrote.")

    @OptionGroup var place: KernelPlace

    func run() throws {
        let spec = place.spec
        try KernelCommand.attempt { () throws(KernelError) in
            guard spec.isInstalled else {
                throw KernelError("no kernel is installed in \(spec.folder)")
            }
            try spec.uninstall()
        }
        print("removed: \(spec.folder)")
    }
}

struct RunKernel: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Serve one client; clients start this themselves.")

    @Argument(
        help: ArgumentHelp("The connection file of the client.", valueName: "file"))
    var connectionFile: String

    @OptionGroup(title: "Workspace") var workspace: WorkspaceOptions

    func run() throws {
        let environment = ProcessInfo.processInfo.environment
        var configuration = workspace.configuration
        if workspace.workspace == nil, !workspace.ephemeral {
            if let path = RunKernel.workspaceBesideNotebook(environment) {
                configuration.workspace = path
            } else {
                configuration.access = .ephemeral
            }
        }
        let session: Session
        let kernel: Kernel
        do {
            let connection = try ConnectionFile(connectionFile)
            let fault: String?
            (session, fault) = try RunKernel.open(configuration)
            kernel = try Kernel(
                connection, session: session, version: Sami.version,
                parent: environment["JPY_PARENT_PID"] == nil ? nil : getppid(), fault: fault)
        } catch {
            Launch.complain("\(error)")
            throw End(status: error is KernelError ? .usage : .workspace)
        }
        let (interrupt, end) = (kernel.interrupt, kernel.end)
        SignalWatch.start { signal in
            switch signal {
            case .interrupt: interrupt()
            case .terminate: end()
            case .stop, .resume, .resize: break
            }
        }
        kernel.run()
        for problem in session.close() { Launch.complain(problem) }
    }

    /// The session; for a workspace that cannot be used an empty one, and the reason, which only
    /// the answers of the kernel can show to a person.
    private static func open(
        _ configuration: Session.Configuration
    ) throws -> (session: Session, fault: String?) {
        do {
            return (try Session(configuration), nil)
        } catch {
            Launch.complain("\(error)")
            var empty = configuration
            empty.access = .ephemeral
            return (
                try Session(empty),
                "no cell runs: \(error); restart the kernel when the workspace can be used"
            )
        }
    }

    /// A server of notebooks names the notebook in this variable.
    private static func workspaceBesideNotebook(_ environment: [String: String]) -> String? {
        guard let notebook = environment["JPY_SESSION_NAME"], notebook.hasSuffix(".ipynb") else {
            return nil
        }
        return notebook.dropLast(".ipynb".count) + ".samiws"
    }
}
