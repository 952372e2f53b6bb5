import Files
import Foundation
import Values

/// Writes files outside the workspace. A file is written completely or not at all.
enum FileWriting {
    /// - Parameter shown: the path as the user wrote it.
    static func write(_ data: Data, to path: String, shown: String) throws(EvaluationError) {
        guard FileSystem.kind(of: path) != .folder else { throw .isFolder(shown) }
        let folder = FileSystem.folder(of: path)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder),
            isFolder.boolValue
        else {
            throw .notWritable(shown, reason: "there is no folder \(folder)")
        }
        do throws(FileError) {
            try FileWriter.write(data, to: path)
        } catch {
            throw error.reason == .isFolder
                ? .isFolder(shown) : .notWritable(shown, reason: "\(error.reason)")
        }
    }
}
