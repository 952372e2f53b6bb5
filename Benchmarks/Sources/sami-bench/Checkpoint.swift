import ArgumentParser
import Foundation
import Transformers

struct Checkpoint: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes a model directory of a published shape with random bfloat16 weights.")
    @Argument(help: "mistral-7b, mixtral-8x7b or llama3-70b.")
    var shape: String
    @Argument(help: "The folder to write: 14.5 GB for mistral-7b.")
    var directory: String
    @Option(help: "Fewer layers than the published model has.")
    var layers: Int?

    func run() throws {
        guard var found = ModelConfiguration.published[shape] else {
            let names = ModelConfiguration.published.keys.sorted().joined(separator: ", ")
            throw ValidationError("There is no shape \"\(shape)\"; there are \(names).")
        }
        if let layers, layers > 0 { found.layers = layers }
        var last = 0
        try RandomCheckpoint(configuration: found).write(to: directory) { bytes in
            guard bytes - last >= 1_000_000_000 else { return }
            last = bytes
            print("\(bytes / 1_000_000_000) GB")
        }
    }
}

struct Load: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Loads a model directory, generates and scores a 2 x 2 grid.")
    @Argument var directory: String
    @Option(help: "Tokens of a prompt.") var prompt = 128
    @Option(help: "Tokens of a response.") var new = 32

    func run() throws {
        print("\(directory), prompts of \(prompt), \(new) tokens each")
        var fields: [(String, Double)] = []
        try CheckpointCost(prompt: prompt, new: new).measure(directory) { name, value in
            fields.append((name, value))
            print(
                "  \(name.padding(toLength: 36, withPad: " ", startingAt: 0)) "
                    + String(format: "%.4g", value))
            fflush(nil)
        }
        print(
            "{"
                + fields.map { "\"\($0)\": \(String(format: "%.4g", $1))" }.joined(separator: ", ")
                + "}")
    }
}
