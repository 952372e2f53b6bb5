import CommandLanguage
import Foundation

/// Pictures in files, drawn by gnuplot.
enum Gnuplot {
    static func draw(
        _ picture: Picture, to path: String, shown: String, _ invocation: Invocation
    ) throws {
        let terminal: String
        switch (path as NSString).pathExtension.lowercased() {
        case "svg": terminal = "svg size 800,500 background '#ffffff' font 'sans,14'"
        case "png": terminal = "png size 1000,625 font 'sans,12'"
        case let other:
            throw invocation.complaint(
                Complaint.unknownExtension(other, kind: "a picture", known: ["svg", "png"]),
                at: "path")
        }
        guard let program = executable else {
            throw invocation.fail(
                "gnuplot draws pictures, and it is not installed",
                suggestion: "sudo apt-get install gnuplot-nox", at: "path")
        }
        // The picture is drawn aside and then takes its place, whole.
        let aside = NSTemporaryDirectory() + "sami-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: aside) }
        let scriptPath = aside + ".gp"
        defer { try? FileManager.default.removeItem(atPath: scriptPath) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = [scriptPath]
        let errors = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        do {
            // A file rather than a pipe: a gnuplot that dies would take this process along.
            try Data(script(picture, terminal, aside).utf8).write(
                to: URL(fileURLWithPath: scriptPath))
            try process.run()
        } catch {
            throw invocation.fail("gnuplot cannot be started: \(FileReading.reason(error))")
        }
        let complaint = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0,
            let data = try? Data(contentsOf: URL(fileURLWithPath: aside)), !data.isEmpty
        else {
            let words = String(decoding: complaint.prefix(300), as: UTF8.self)
            throw invocation.fail(
                "gnuplot failed: "
                    + TextWidth.oneLine(words.trimmingCharacters(in: .whitespacesAndNewlines)))
        }
        do throws(Complaint) {
            try FileWriting.write(data, to: path, shown: shown)
        } catch {
            throw invocation.complaint(error, at: "path")
        }
    }

    private static var executable: String? {
        let folders = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        return folders.split(separator: ":").map { $0 + "/gnuplot" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    private static func script(_ picture: Picture, _ terminal: String, _ path: String) -> String {
        func quoted(_ text: String) -> String {
            "'" + TextWidth.oneLine(text).replacingOccurrences(of: "'", with: "''") + "'"
        }
        var lines = [
            "set terminal \(terminal)", "set output \(quoted(path))",
            "set title \(quoted(picture.title)) noenhanced",
        ]
        func number(_ value: Double) -> String { value.isFinite ? "\(value)" : "NaN" }
        switch picture.content {
        case .lines(let series):
            lines += ["set grid", "set key noenhanced"]
            let parts = series.map { "'-' using 1:2 with lines lw 2 title \(quoted($0.name))" }
            lines.append("plot " + parts.joined(separator: ", "))
            for line in series {
                lines += line.points.map { "\(number($0.x)) \(number($0.y))" } + ["e"]
            }
        case .matrix(let rows, let columns, let values):
            lines += [
                "set yrange [\(rows - 1).5:-0.5]", "set xrange [-0.5:\(columns - 1).5]",
                "set palette defined (0 '#440154', 1 '#3b528b', 2 '#21918c', 3 '#5ec962', 4 '#fde725')",
                "plot '-' matrix with image notitle",
            ]
            for row in 0..<rows {
                lines.append(
                    values[row * columns..<(row + 1) * columns].map(number).joined(separator: " "))
            }
            lines.append("e")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
