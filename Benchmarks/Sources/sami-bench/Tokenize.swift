import ArgumentParser
import Foundation
import Tokenizers

struct Tokenize: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Loads a tokenizer.json and encodes the texts of a file, one a line of JSON.")
    @Argument(help: "A tokenizer.json.")
    var path: String
    @Argument(help: "A file of JSON texts, one a line.")
    var texts: String

    func run() throws {
        let load = try time(5) { _ = try Tokenizer(file: path) }.min() ?? 0
        let tokenizer = try Tokenizer(file: path)
        let decoder = JSONDecoder()
        let texts = try String(contentsOfFile: self.texts, encoding: .utf8).split(separator: "\n")
            .map {
                try decoder.decode(String.self, from: Data($0.utf8))
            }
        let bytes = texts.reduce(0) { $0 + $1.utf8.count }
        var tokens = 0
        let seconds =
            time(3) {
                tokens = tokenizer.encode(texts).reduce(0) { $0 + $1.count }
            }.min() ?? 0
        let fields: [(String, Double)] = [
            ("seconds", seconds), ("load_seconds", load), ("tokens", Double(tokens)),
            ("megabytes_per_second", Double(bytes) / seconds / 1e6),
            ("rss_mb", Double(peakMemory()) / 1e6),
        ]
        print("Tokenizing \(bytes / 1_000_000) MB in \(texts.count) texts")
        for (name, value) in fields { print("  \(name) \(value)") }
        print("{" + fields.map { "\"\($0.0)\": \($0.1)" }.joined(separator: ", ") + "}")
    }
}
