import Foundation
import Values

/// Writing of files outside the workspace: under a temporary name, then renamed, so that a file is
/// complete or absent.
enum FileWriting {
    static func write(_ data: Data, to path: String, shown: String) throws(EvaluationError) {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue
        {
            throw .isFolder(shown)
        }
        let folder = (path as NSString).deletingLastPathComponent
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder),
            isFolder.boolValue
        else {
            throw .notWritable(shown, reason: "there is no folder \(folder)")
        }
        do {
            try data.write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw .notWritable(shown, reason: FileReading.reason(error))
        }
    }
}
