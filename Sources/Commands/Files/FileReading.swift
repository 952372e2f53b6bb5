import Alignment
import CommandLanguage
import Files
import Foundation
import JSON
import Rendering
import Tokenizers
import Values
import Workspaces

/// Reading of files that a user names, with a sentence for every fault.
package enum FileReading {
    /// The content of a file that is not empty.
    ///
    /// - Parameter shown: the path as the user wrote it.
    package static func data(_ path: String, shown: String) throws(EvaluationError) -> Data {
        do throws(FileError) {
            let file = try RegularFile(path)
            guard file.size > 0 else { throw FileError(.read, path, .empty) }
            let limit = Limits.current.file
            guard file.size <= limit else {
                throw FileError(
                    .read, path,
                    .library(
                        "it has \(NumberText.bytes(file.size)), and file_limit is "
                            + NumberText.bytes(limit)))
            }
            return try file.readAll()
        } catch {
            switch error.reason {
            case .absent: throw .missingFile(shown, nearest: similarPath(to: path, shown: shown))
            case .isFolder: throw .isFolder(shown)
            case .empty: throw .emptyFile(shown)
            default: throw .notReadable(shown, reason: "\(error.reason)")
            }
        }
    }

    /// The system's own message for an error.
    package static func reason(_ error: any Error) -> String {
        let error = error as NSError
        if let cause = error.userInfo[NSUnderlyingErrorKey] as? NSError,
            cause.domain == "NSPOSIXErrorDomain"
        {
            return String(cString: strerror(Int32(cause.code))).lowercased()
        }
        switch error.code {
        case CocoaError.fileReadNoPermission.rawValue, CocoaError.fileWriteNoPermission.rawValue:
            return "permission denied"
        case CocoaError.fileWriteOutOfSpace.rawValue: return "the disk is full"
        default: return error.localizedDescription
        }
    }

    /// A file in the same folder whose name is close to the missing name.
    private static func similarPath(to path: String, shown: String) -> String? {
        let folder = (path as NSString).deletingLastPathComponent
        let name = (path as NSString).lastPathComponent
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder),
            let near = nearest(name, in: names.sorted())
        else { return nil }
        let prefix = (shown as NSString).deletingLastPathComponent
        return prefix.isEmpty ? near : (prefix as NSString).appendingPathComponent(near)
    }
}

/// A JSON Lines file: one record on each line; blank lines are skipped.
struct JSONLines {
    struct Line {
        /// From 1.
        var number: Int
        var record: Record
        /// The line in its original form: ids that are numbers keep all their digits.
        var json: JSON
    }

    let shown: String
    var lines: [Line] = []

    init(_ data: Data, shown: String) throws(EvaluationError) {
        self.shown = shown
        let bytes = [UInt8](data)
        var number = 0
        var start = bytes.startIndex
        while start < bytes.endIndex {
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.endIndex
            number += 1
            let line = bytes[start..<end]
            start = end + 1
            guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else { continue }
            let json: JSON
            do throws(JSON.Problem) {
                json = try JSON.read(line, repairs: [.loneSurrogates, .repeatedKeys])
            } catch {
                throw .badLine(
                    path: shown, line: number, problem: "\(error.fault) (column \(error.column))")
            }
            let value = Value(json)
            guard case .record(let record) = value else {
                throw .badLine(
                    path: shown, line: number,
                    problem: "a record in braces was expected, not \(value.aKind)")
            }
            lines.append(Line(number: number, record: record, json: json))
        }
        guard !lines.isEmpty else { throw .emptyFile(shown) }
    }

    func bad(_ line: Line, _ problem: String) -> EvaluationError {
        .badLine(path: shown, line: line.number, problem: problem)
    }

    /// An id, which may be a text or a number; nil if the field is missing or null.
    func id(_ key: String, _ line: Line) throws(EvaluationError) -> QueryID? {
        switch line.json[key] {
        case nil, .null: return nil
        case .string(let text): return QueryID(text)
        case .number(let digits):
            return QueryID(line.json[key]?.integer.map { String($0) } ?? digits)
        case let other?:
            throw bad(line, "`\(key)` must be text or a number, not \(Value(other).aKind)")
        }
    }

    /// A field; nil if it is missing or null. Tables written as JSON Lines have null for the
    /// columns that a record lacks.
    private func field(_ key: String, _ line: Line) -> Value? {
        guard let value = line.record[key] else { return nil }
        if case .null = value { return nil }
        return value
    }

    /// The text of a field; nil if the field is missing.
    func text(_ key: String, _ line: Line) throws(EvaluationError) -> String? {
        guard let value = field(key, line) else { return nil }
        guard case .text(let text) = value else {
            throw bad(line, "`\(key)` must be text, not \(value.aKind)")
        }
        return text
    }

    /// A list of texts; nil if the field is missing.
    func texts(_ key: String, _ line: Line) throws(EvaluationError) -> [String]? {
        guard let value = field(key, line) else { return nil }
        guard case .list(let items) = value else {
            throw bad(line, "`\(key)` must be a list of texts, not \(value.aKind)")
        }
        var texts: [String] = []
        for item in items {
            guard case .text(let text) = item else {
                throw bad(line, "each item of `\(key)` must be text, not \(item.aKind)")
            }
            texts.append(text)
        }
        return texts
    }
}

extension Invocation {
    /// The records of a JSON Lines file. The journal records the file.
    func jsonLines(_ role: String) throws -> JSONLines {
        guard let shown = try text(role) else { throw missing(role) }
        return try jsonLines(at: shown, role: role)
    }

    /// The same for a path from the argument named `role`.
    func jsonLines(at path: String, role: String) throws -> JSONLines {
        let (data, shown) = try file(at: path, role: role)
        do {
            return try JSONLines(data, shown: shown)
        } catch {
            throw located(error, at: role)
        }
    }

    /// Records the files of a model's folder in the journal, small files with their digests.
    /// Weights have a digest in the workspace.
    func noteFiles(of directory: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        for name in names.sorted() {
            let path = directory + "/" + name
            guard ["json", "safetensors", "model"].contains((name as NSString).pathExtension),
                let size = try? FileManager.default.attributesOfItem(atPath: path)[.size],
                let bytes = (size as? NSNumber)?.intValue
            else { continue }
            let content =
                bytes > 0 && bytes <= 1 << 24 ? try? FileReading.data(path, shown: name) : nil
            session.noteInput(
                content.map { InputFile(path: path, content: $0) }
                    ?? InputFile(path: path, bytes: bytes))
        }
    }

    /// The content of the file that an operand names, and the path as the user wrote it.
    func file(_ role: String) throws -> (data: Data, shown: String) {
        guard let shown = try text(role) else { throw missing(role) }
        return try file(at: shown, role: role)
    }

    private func file(at shown: String, role: String) throws -> (data: Data, shown: String) {
        let path = Paths.absolute(shown, in: session.directory)
        do {
            let data = try FileReading.data(path, shown: shown)
            session.noteInput(InputFile(path: path, content: data))
            return (data, shown)
        } catch {
            throw located(error, at: role)
        }
    }

    private func missing(_ role: String) -> LocatedError {
        located(EvaluationError.missingArgument(function: call.title, parameter: role))
    }
}
