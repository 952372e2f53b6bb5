import Foundation
import Rendering
import Values

extension Invocation {
    /// Writes a picture to a file; the file's extension gives the format.
    func write(_ picture: Picture, to path: String, shown: String) throws {
        let name = (path as NSString).pathExtension.lowercased()
        do {
            let data = try Gnuplot.data(of: picture, extension: name)
            try FileWriting.write(data, to: path, shown: shown)
        } catch let failure as GnuplotError {
            switch failure {
            case .unknownExtension(let name):
                throw located(
                    EvaluationError.unknownExtension(
                        name, kind: "a picture", known: Gnuplot.extensions),
                    at: "path")
            case .notInstalled:
                throw error(
                    "gnuplot draws pictures, and it is not installed",
                    suggestion: "sudo apt-get install gnuplot-nox", at: "path")
            case .cannotStart(let cause):
                throw error("gnuplot cannot be started: \(FileReading.reason(cause))")
            case .failed(let words): throw error("gnuplot failed: " + words)
            }
        } catch {
            throw located(error, at: "path")
        }
    }
}
