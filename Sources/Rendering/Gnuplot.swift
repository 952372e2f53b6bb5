import Foundation

/// The reason why gnuplot gave no picture.
package enum GnuplotError: Error {
    /// The file's extension is not a picture format.
    case unknownExtension(String)
    case notInstalled
    case cannotStart(any Error)
    /// The message of gnuplot.
    case failed(String)
}

/// Pictures in files, drawn by gnuplot.
package enum Gnuplot {
    package static let extensions = ["svg", "png"]

    /// The content of a picture file.
    package static func data(of picture: Picture, extension name: String) throws(GnuplotError)
        -> Data
    {
        let terminal: String
        switch name {
        case "svg": terminal = "svg size 800,500 background '#ffffff' font 'sans,14'"
        case "png": terminal = "png size 1000,625 font 'sans,12'"
        default: throw .unknownExtension(name)
        }
        guard let program = executable else { throw .notInstalled }
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
            // A file, not a pipe: writing to the pipe of a dead gnuplot would kill this process.
            try Data(script(picture, terminal, aside).utf8).write(
                to: URL(fileURLWithPath: scriptPath))
            try process.run()
        } catch {
            throw .cannotStart(error)
        }
        let message = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0,
            let data = try? Data(contentsOf: URL(fileURLWithPath: aside)), !data.isEmpty
        else {
            let words = String(decoding: message.prefix(300), as: UTF8.self)
            throw .failed(TextWidth.oneLine(words.trimmingCharacters(in: .whitespacesAndNewlines)))
        }
        return data
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
            if series.count == 1 { lines.append("unset key") }
            if let name = picture.xName { lines.append("set xlabel \(quoted(name)) noenhanced") }
            if let range = ChartRange(series) {
                let ticks = Ticks(range.x, count: 8, isWhole: range.isWholeX)
                let places = zip(ticks.values, ticks.labels).map { "'\($1)' \($0)" }
                lines.append("set xtics (\(places.joined(separator: ", ")))")
            }
            let style = series.allSatisfy { $0.points.count <= 40 } ? "linespoints pt 7" : "lines"
            let parts = series.map {
                "'-' using 1:2 with \(style) lw 2 title \(quoted($0.name))"
            }
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
