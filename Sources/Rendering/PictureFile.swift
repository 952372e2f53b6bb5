import Foundation

/// The reason why a picture could not become a file.
package enum PictureFileError: Error {
    /// The file's extension is not a picture format.
    case unknownExtension(String)
    /// `rsvg-convert` is on no path.
    case notInstalled
    case cannotStart(any Error)
    /// The message of `rsvg-convert`.
    case failed(String)
}

/// Pictures as files: SVG as it is drawn here, PNG that librsvg makes from it, and a page that
/// holds it.
package enum PictureFile {
    package static let extensions = ["svg", "png", "html"]

    /// The content of a picture file.
    package static func data(
        of picture: Picture, extension name: String
    ) throws(PictureFileError) -> Data {
        switch name {
        case "svg": return Data(picture.svg.utf8)
        case "png": return try png(Data(picture.svg.utf8))
        case "html": return Data(HTMLPage(title: picture.title, body: picture.html).text.utf8)
        default: throw .unknownExtension(name)
        }
    }

    private static func png(_ svg: Data) throws(PictureFileError) -> Data {
        guard let program = executable else { throw .notInstalled }
        let aside = NSTemporaryDirectory() + "sami-\(UUID().uuidString)"
        let (drawing, result) = (aside + ".svg", aside + ".png")
        defer {
            for path in [drawing, result] { try? FileManager.default.removeItem(atPath: path) }
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["--format", "png", "--zoom", "2", "--output", result, drawing]
        let errors = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        do {
            // A file, not a pipe: writing to the pipe of a dead program would kill this process.
            try svg.write(to: URL(fileURLWithPath: drawing))
            try process.run()
        } catch {
            throw .cannotStart(error)
        }
        let message = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0,
            let data = try? Data(contentsOf: URL(fileURLWithPath: result)), !data.isEmpty
        else {
            let words = String(decoding: message.prefix(300), as: UTF8.self)
            throw .failed(TextWidth.oneLine(words.trimmingCharacters(in: .whitespacesAndNewlines)))
        }
        return data
    }

    private static var executable: String? {
        let folders = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        return folders.split(separator: ":").map { $0 + "/rsvg-convert" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
