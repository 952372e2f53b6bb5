import CommandLanguage
import DataFiles
import Files
import Foundation
import Rendering
import Values
import Workspaces

/// Reading of files that a user names, with a sentence for every fault.
package enum FileReading {
    /// The content of a file that is not empty.
    ///
    /// - Parameter shown: the path as the user wrote it.
    package static func data(_ path: String, shown: String) throws(EvaluationError) -> Data {
        try opened(path, shown: shown) { file throws(FileError) in
            let limit = Limits.current.file
            guard file.size <= limit else {
                throw FileError(
                    .read, path,
                    .library(
                        "it has \(NumberText.bytes(file.size)), and file_limit is "
                            + NumberText.bytes(limit)))
            }
            return try file.readAll()
        }
    }

    /// The size in bytes of a file that is not empty.
    package static func size(_ path: String, shown: String) throws(EvaluationError) -> Int {
        try opened(path, shown: shown) { $0.size }
    }

    private static func opened<Result>(
        _ path: String, shown: String, _ body: (RegularFile) throws(FileError) -> Result
    ) throws(EvaluationError) -> Result {
        do throws(FileError) {
            let file = try RegularFile(path)
            guard file.size > 0 else { throw FileError(.read, path, .empty) }
            return try body(file)
        } catch {
            switch error.reason {
            case .absent: throw .missingFile(shown, nearest: similarPath(to: path, shown: shown))
            case .isFolder: throw .isFolder(shown)
            case .empty: throw .emptyFile(shown)
            default: throw .notReadable(shown, reason: "\(error.reason)")
            }
        }
    }

    /// The content of a gzip file; other content as it is.
    static func unpacked(_ data: Data, shown: String) throws(EvaluationError) -> Data {
        guard Gzip.isCompressed(data) else { return data }
        // Text shrinks to a tenth, repeated lines to a hundredth; more is made to fill memory.
        let most = max(1 << 26, data.count.multipliedReportingOverflow(by: 300).partialValue)
        let limit = min(Limits.current.file, most)
        do throws(Gzip.Fault) {
            let content = try Gzip.decompressed(data, limit: limit)
            return content
        } catch {
            let problem =
                switch error {
                case .cut: "the gzip file is cut: it ends before its content does"
                case .damaged: "the gzip file is damaged"
                case .tooLarge where limit == Limits.current.file:
                    "its content has more than \(NumberText.bytes(limit)), and that is file_limit"
                case .tooLarge:
                    "its content has more than \(NumberText.bytes(limit)), of a gzip file of "
                        + "\(NumberText.bytes(data.count)); if that is right, decompress it first"
                }
            throw .badFile(path: shown, problem: problem)
        }
    }

    /// The format that a file's name gives: its extension in small letters, without that of a gzip
    /// file.
    static func format(of shown: String) -> String {
        var name = (shown as NSString).pathExtension.lowercased()
        if name == "gz" {
            name = ((shown as NSString).deletingPathExtension as NSString).pathExtension
                .lowercased()
        }
        return ["hdf5": "h5", "ndjson": "jsonl"][name] ?? name
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

    /// The error with the name of the file, if its sentence does not have it.
    static func naming(_ shown: String, _ error: any Error) -> any Error {
        if error is EvaluationError { return error }
        let sentence = ErrorSentence.of(error)
        return sentence.contains(shown)
            ? error : EvaluationError.badFile(path: shown, problem: sentence)
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

extension Invocation {
    /// Records the files of a model's folder in the journal, small files with their digests.
    /// Weights have a digest in the workspace.
    func noteFiles(of directory: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        for name in names.sorted()
        where ["json", "safetensors", "model"].contains((name as NSString).pathExtension) {
            noteFile(directory + "/" + name)
        }
    }

    /// Records a file in the journal, a small one with its digest.
    func noteFile(_ path: String) {
        guard let size = try? FileManager.default.attributesOfItem(atPath: path)[.size],
            let bytes = (size as? NSNumber)?.intValue
        else { return }
        let content =
            bytes > 0 && bytes <= 1 << 24 ? try? FileReading.data(path, shown: path) : nil
        session.noteInput(
            content.map { InputFile(path: path, content: $0) }
                ?? InputFile(path: path, bytes: bytes))
    }

    /// The content of the file that an operand names, and the path as the user wrote it.
    func file(_ role: String) throws -> (data: Data, shown: String) {
        guard let shown = try text(role) else { throw missing(role) }
        return try file(at: shown, role: role)
    }

    func file(at shown: String, role: String) throws -> (data: Data, shown: String) {
        let path = Paths.absolute(shown, in: session.directory)
        do {
            let data = try FileReading.data(path, shown: shown)
            session.noteInput(InputFile(path: path, content: data))
            return (data, shown)
        } catch {
            throw located(error, at: role)
        }
    }

    func missing(_ role: String) -> LocatedError {
        located(EvaluationError.missingArgument(function: call.title, parameter: role))
    }
}
