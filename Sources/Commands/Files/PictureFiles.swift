import Foundation
import Rendering
import Values

extension Invocation {
    /// Writes a picture to a file; the file's extension gives the format.
    func write(_ picture: Picture, to path: String, shown: String) throws {
        let name = (path as NSString).pathExtension.lowercased()
        do {
            let data = try PictureFile.data(of: picture, extension: name)
            try FileWriting.write(data, to: path, shown: shown)
        } catch let failure as PictureFileError {
            switch failure {
            case .unknownExtension(let name):
                throw located(
                    EvaluationError.unknownExtension(
                        name, kind: "a picture", known: PictureFile.extensions),
                    at: "path")
            case .notInstalled:
                throw error(
                    "a PNG is made by rsvg-convert, which is not installed",
                    suggestion: "sudo apt-get install librsvg2-bin, or write an .svg", at: "path")
            case .cannotStart(let cause):
                throw error("rsvg-convert cannot be started: \(FileReading.reason(cause))")
            case .failed(let words): throw error("rsvg-convert failed: " + words)
            }
        } catch {
            throw located(error, at: "path")
        }
    }
}
