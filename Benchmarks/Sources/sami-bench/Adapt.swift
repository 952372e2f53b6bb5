import ArgumentParser
import Foundation
import Optimizers
import Tensors
import Transformers

extension LanguageModel {
    /// The model with adapters on all projections.
    func withAdapters(rank: Int) throws -> LanguageModel {
        try adding(
            AdapterConfiguration(
                rank: rank, alpha: Double(2 * rank),
                targets: Set(try configuration.projections().map(\.kind))),
            key: RandomKey(seed: 3))
    }
}

struct Adapt: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "SAMI steps on the adapters of a model directory, AdamW: where the time goes.")
    @Argument var directory: String
    @Argument var constitutions = 2
    @Argument var prompt = 128
    @Argument var response = 32
    @Option(help: "The adapters' rank.") var rank = 16
    @Option(help: "Steps; the first reads the weights from the disk.") var steps = 2

    func run() throws {
        var model = try ModelDirectory.load(directory).withAdapters(rank: rank)
        let batch = ContrastWork(model.configuration, constitutions, prompt, response)
        var (state, gradients) = (OptimizerState(), ParameterSet(zeros: model.parameters.layout))
        var fields: [(String, Double)] = []
        func report(_ name: String, _ value: Double) {
            fields.append((name, value))
            print(
                "  \(name.padding(toLength: 28, withPad: " ", startingAt: 0)) "
                    + String(format: "%.4g", value))
            fflush(nil)
        }
        print(
            "Adapters of rank \(rank) on \(directory), C=\(constitutions), "
                + "\(prompt) + \(response) tokens")
        report("weight_gb", Double(model.weightBytes) / 1e9)
        report("trainable_parameters", Double(model.parameters.layout.trainableCount))
        report("tokens", Double(batch.forest.tokens.count))
        for step in 1...steps {
            let start = ContinuousClock.now
            var forward = start
            gradients.clear()
            _ = try model.backpropagate(batch.forest, batch.targets, into: &gradients) {
                forward = .now
                return batch.coefficients($0)
            }
            let backward = ContinuousClock.now
            try model.update {
                try Optimizer.adamw().step(&$0, gradients, &state, learningRate: 1e-4)
            }
            report("step_\(step)_forward_seconds", (forward - start).seconds)
            report("step_\(step)_backward_seconds", (backward - forward).seconds)
            report("step_\(step)_adamw_seconds", (ContinuousClock.now - backward).seconds)
        }
        report("peak_rss_gb", Double(peakMemory()) / 1e9)
        print(
            "{"
                + fields.map { "\"\($0)\": \(String(format: "%.4g", $1))" }.joined(separator: ", ")
                + "}")
    }
}
