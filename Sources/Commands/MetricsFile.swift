import Foundation
import JSON
import Values

/// A file that gets a line of JSON for each step of training while it runs, for programs that
/// watch.
///
/// Lines are appended whole, one write each. A file that cannot be written does not end the
/// training: the fault is told when the statement ends, and nothing more is written.
package final class MetricsFile {
    /// The path as a person wrote it.
    let shown: String
    private let handle: FileHandle
    private var problem: String?

    /// Opens the file for appending, and makes it if it is not there.
    init(_ path: String, shown: String) throws(EvaluationError) {
        self.shown = shown
        // A pipe without a reader would be waited for, and a slow reader would hold the training.
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK
        let descriptor = open(path, flags, 0o644)
        guard descriptor >= 0 else {
            let code = errno
            throw .notWritable(
                shown,
                reason: code == ENXIO
                    ? "it is a pipe that nobody reads" : String(cString: strerror(code)))
        }
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    func append(_ row: Record, statement: Int, verb: String) {
        guard problem == nil else { return }
        var line: Record = [
            "time": .text(Date.now.formatted(.iso8601)), "statement": Value(statement),
            "verb": .text(verb),
        ]
        for (key, value) in row { line[key] = value }
        do {
            try handle.write(contentsOf: Data((Value.record(line).json + "\n").utf8))
        } catch {
            problem = "\(shown) gets no more lines: \(error.localizedDescription)"
        }
    }

    /// A sentence about a fault, once.
    package func takeProblem() -> String? {
        defer { if problem != nil { problem = "" } }
        return problem == "" ? nil : problem
    }
}

extension Invocation {
    /// Writes a step of training to the file that `metrics` named, if there is one.
    func report(step row: @autoclosure () -> Record) {
        session.metrics?.append(row(), statement: sequence, verb: call.verb.name)
    }
}
