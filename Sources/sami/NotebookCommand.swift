import ArgumentParser
import Files
import Foundation
import JSON
import Notebooks
import Sessions
import Shell

/// `sami notebook`: notebooks of Jupyter without Jupyter.
struct NotebookCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "notebook", abstract: "Run, check and convert notebooks of Jupyter.",
        subcommands: [RunNotebook.self, CheckNotebook.self, ConvertNotebook.self])
}

struct RunNotebook: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run the cells of a notebook and keep their outputs in it.",
        discussion: """
            The file is written when a cell has ended, whole or not at all. The run stops at the \
            first error, unless its cell is tagged `raises-exception`; cells tagged \
            `skip-execution` are left out. A run that gives the same outputs leaves the file as it \
            was.
            """)

    @Argument(help: ArgumentHelp("The notebook.", valueName: "file"))
    var path: String

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("Write another file; the notebook stays as it is.", valueName: "file"))
    var target: String?

    @Option(
        name: [.customShort("p"), .customLong("parameter")], parsing: .singleValue,
        help: ArgumentHelp(
            "Set a name of the cell tagged `parameters`.", valueName: "name=value"))
    var parameters: [Parameter] = []

    @Flag(help: "Compare the outputs with those in the file, and write nothing.")
    var check = false

    @Option(help: ArgumentHelp("Stop a cell after this time.", valueName: "seconds"))
    var timeout: Double?

    @OptionGroup(title: "Workspace") var workspace: WorkspaceOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws {
        if check, target != nil || workspace.workspace != nil {
            throw ValidationError("--check writes nothing, so it takes no --output or --workspace")
        }
        if let timeout, !(timeout > 0 && timeout < 1e9) {
            throw ValidationError("--timeout must be a number of seconds above 0")
        }
        if output.echo {
            throw ValidationError("--echo is for scripts: a notebook has its statements beside it")
        }
    }

    func run() throws {
        let stored: Notebook
        var notebook: Notebook
        do throws(NotebookError) {
            stored = try Notebook.read(path)
            try stored.requireLanguage(path: path)
            notebook = stored
            try notebook.setParameters(
                parameters.map { ($0.name, $0.value) }, path: path)
        } catch {
            Launch.complain("\(error)")
            throw End(status: .usage)
        }
        var configuration = workspace.configuration
        // Random numbers depend on the number of a statement, so that a run on old values would
        // give others than the run before.
        if workspace.workspace == nil { configuration.access = .ephemeral }
        let launch = try Launch(configuration, output)
        let start = Date()
        let unrun = notebook
        let (ending, run) = evaluate(notebook, stored, launch)
        notebook = run
        if !parameters.isEmpty {
            notebook.setRecord(of: parameters.map { ($0.name, $0.value) }, from: start, to: Date())
        }
        guard check else {
            guard save(notebook, stored) else { try launch.finish(.workspace) }
            try launch.finish(ending)
        }
        let differences = NotebookComparison.differences(unrun, notebook)
        for difference in differences {
            Launch.complain(
                "\(path): cell \(difference.cell) gave \(JSON.quoted(difference.now)), and the file "
                    + "has \(JSON.quoted(difference.before))")
        }
        try launch.finish(ending == .fine && !differences.isEmpty ? .failed : ending)
    }

    private func evaluate(
        _ notebook: Notebook, _ stored: Notebook, _ launch: Launch
    ) -> (RunStatus, Notebook) {
        var options = NotebookRun.Options()
        (options.keepsGoing, options.timeout) = (output.keepGoing, timeout)
        var run = NotebookRun(notebook, path: path, session: launch.session, options: options)
        var (ending, isSaved) = (NotebookRun.Ending.finished, true)
        let status = launch.console.runInterruptibly { events in
            ending = run.run(
                progress: { event in if case .progress = event { events(event) } },
                ended: { report, notebook in
                    show(report)
                    // The first failure is enough to hear of; the end tries again.
                    if !check { isSaved = save(notebook, stored, complains: isSaved) && isSaved }
                })
            return ending == .finished
        }
        return (ending == .interrupted ? .interrupted : status, run.notebook)
    }

    private func show(_ report: NotebookRun.Report) {
        if output.json { print(report.json) }
        if let failure = report.failure, !report.isAllowed {
            try? FileHandle.standardError.write(contentsOf: Data((failure.rendered() + "\n").utf8))
        } else if !output.json {
            try? FileHandle.standardError.write(contentsOf: Data((report.line + "\n").utf8))
        }
    }

    /// Writes the notebook, unless that would leave the file as it is.
    private func save(_ notebook: Notebook, _ stored: Notebook, complains: Bool = true) -> Bool {
        if target == nil, notebook == stored { return true }
        return NotebookFile.write(
            notebook, unchangedFrom: (stored, path), to: target ?? path, complains: complains)
    }
}

struct CheckNotebook: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Read notebooks and their statements without running anything.")

    @Argument(help: ArgumentHelp("Notebooks.", valueName: "file"))
    var paths: [String]

    func run() throws {
        var isFine = true
        for path in paths {
            do throws(NotebookError) {
                let notebook = try Notebook.read(path)
                try notebook.requireLanguage(path: path)
                let mistakes = notebook.mistakes(path: path)
                for mistake in mistakes { print(mistake) }
                isFine = isFine && mistakes.isEmpty
                if mistakes.isEmpty { print("\(path): \(notebook.cells.count) cells, no mistakes") }
            } catch {
                Launch.complain("\(error)")
                isFine = false
            }
        }
        if !isFine { throw End(status: .failed) }
    }
}

struct ConvertNotebook: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Turn a notebook into a script with percent cells, or a script into a notebook.",
        discussion: """
            The ends of the names decide: .ipynb is a notebook. A script has no outputs; a notebook \
            that is written again keeps the outputs of the cells whose source is the same.
            """)

    @Argument(help: ArgumentHelp("A notebook or a script.", valueName: "from"))
    var source: String

    @Argument(help: ArgumentHelp("The other one.", valueName: "to"))
    var target: String

    @Flag(help: "Replace a file that is there.")
    var force = false

    func run() throws {
        do throws(NotebookError) {
            try convert()
        } catch {
            Launch.complain("\(error)")
            throw End(status: .usage)
        }
    }

    private func convert() throws(NotebookError) {
        let (isFrom, isTo) = (source.hasSuffix(".ipynb"), target.hasSuffix(".ipynb"))
        guard isFrom != isTo else {
            throw NotebookError(
                target, isTo ? "both are notebooks" : "neither is a notebook",
                remedy: "one of the two names ends in .ipynb")
        }
        guard force || FileSystem.kind(of: target) == .absent else {
            throw NotebookError(target, "it is already there", remedy: "--force replaces it")
        }
        if isFrom {
            let text = PercentScript.text(of: try Notebook.read(source))
            guard NotebookFile.write(Data(text.utf8), to: target) else { throw .unwritten(target) }
            return
        }
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try RegularFile(source).contents()
        } catch {
            throw NotebookError(source, "\(error.reason)")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw NotebookError(source, "it is not text in UTF-8")
        }
        var notebook = PercentScript.notebook(of: text)
        if FileSystem.kind(of: target) != .absent {
            notebook.takeOutputs(of: try Notebook.read(target))
        }
        let data = Data(notebook.json.asJupyterWrites.utf8)
        guard NotebookFile.write(data, to: target) else { throw .unwritten(target) }
    }
}

extension NotebookError {
    /// The reason is on standard error already.
    fileprivate static func unwritten(_ path: String) -> NotebookError {
        NotebookError(path, "it was not written")
    }
}

/// Files of notebooks, written whole or not at all.
enum NotebookFile {
    /// - Parameter stored: the notebook as it was read, and its path: an equal notebook keeps the
    ///   very bytes.
    static func write(
        _ notebook: Notebook, unchangedFrom stored: (Notebook, path: String), to path: String,
        complains: Bool
    ) -> Bool {
        if notebook == stored.0, let bytes = try? RegularFile(stored.path).contents() {
            return write(Data(bytes), to: path, complains: complains)
        }
        return write(
            Data(notebook.json.asJupyterWrites.utf8), to: path, complains: complains)
    }

    static func write(_ data: Data, to path: String, complains: Bool = true) -> Bool {
        do throws(FileError) {
            try FileWriter.write(data, to: path)
            return true
        } catch {
            // The file that was to be, not the temporary one beside it.
            if complains { Launch.complain("\(FileError(.write, path, error.reason))") }
            return false
        }
    }
}
