import Foundation
import Tensors
import Transformers

extension ModelOracle {
    /// Every prompt with every response below it, and a target for each response token.
    public struct Grid {
        public var forest = TokenForest()
        public var targets: [Target] = []
        /// Targets of each pair, response by response, prompt by prompt.
        public var pairs: [Range<Int>] = []
    }

    /// - Parameter isShared: whether responses share their prompt's rows; otherwise each pair is a
    ///   tree of its own, a plain sequence.
    public func grid(isShared: Bool) -> Grid {
        var grid = Grid()
        for prompt in prompts {
            let root = isShared ? grid.forest.append(prompt) : 0
            for response in responses {
                let parent = isShared ? root : grid.forest.append(prompt)
                let segment = grid.forest.append(response, parent: parent)
                let first = grid.targets.count
                var row = grid.forest.lastRow(of: parent) ?? 0
                for (offset, token) in response.enumerated() {
                    grid.targets.append(Target(row: row, token: token))
                    row = grid.forest.segments[segment].range.lowerBound + offset
                }
                grid.pairs.append(first..<grid.targets.count)
            }
        }
        return grid
    }

    /// S, the SAMI loss and ∂loss/∂log-prob of each target.
    public struct Contrast {
        public var scores: [Double]
        public var loss: Double
        public var coefficients: [Float]
    }

    /// The loss in plain double precision, a second implementation beside that of `Alignment`.
    public func contrast(_ logProbs: [Float], _ pairs: [Range<Int>]) -> Contrast {
        let n = prompts.count
        let scores = pairs.map { range in
            range.reduce(0.0) { $0 + Double(logProbs[$1]) } / Double(range.count)
        }
        func softmax(_ x: [Double]) -> (values: [Double], logSum: Double) {
            let top = x.max() ?? 0
            let sum = x.reduce(0) { $0 + exp($1 - top) }
            return (x.map { exp($0 - top) / sum }, top + log(sum))
        }
        var loss = 0.0
        var gradient = [Double](repeating: 0, count: n * n)
        for i in 0..<n {
            let row = softmax((0..<n).map { scores[i * n + $0] })
            let column = softmax((0..<n).map { scores[$0 * n + i] })
            loss += row.logSum + column.logSum - 2 * scores[i * n + i]
            for j in 0..<n {
                gradient[i * n + j] += row.values[j] - (i == j ? 1 : 0)
                gradient[j * n + i] += column.values[j] - (i == j ? 1 : 0)
            }
        }
        var coefficients = [Float](repeating: 0, count: logProbs.count)
        for (pair, range) in pairs.enumerated() {
            for i in range {
                coefficients[i] = Float(gradient[pair] / Double(2 * n) / Double(range.count))
            }
        }
        return Contrast(scores: scores, loss: loss / Double(2 * n), coefficients: coefficients)
    }

    public func contrast(_ model: LanguageModel, _ grid: Grid) throws -> Contrast {
        contrast(try model.logProbs(grid.forest, grid.targets), grid.pairs)
    }

    /// ∂loss/∂weights of a model on these prompts and responses.
    public func gradients(
        _ model: LanguageModel, _ grid: Grid, memory: MemoryPlan = .automatic
    ) throws -> ParameterSet {
        var gradients = ParameterSet(zeros: model.parameters.layout)
        _ = try model.backpropagate(
            grid.forest, grid.targets, into: &gradients, memory: memory
        ) { contrast($0, grid.pairs).coefficients }
        return gradients
    }
}

extension ModelOracle {
    /// Writes the model as a Hugging Face directory, and `rollouts.jsonl` with its prompts and
    /// responses as token ids.
    public func write(to directory: String) throws {
        struct Line: Encodable {
            var query = 0
            var constitution: Int
            var prompt: [Int32]
            var response: [Int32]
        }
        try ModelDirectory.write(model, to: directory)
        let encoder = JSONEncoder()
        let lines = try zip(prompts, responses).enumerated().map { index, pair in
            let line = Line(constitution: index, prompt: pair.0, response: pair.1)
            return String(decoding: try encoder.encode(line), as: UTF8.self)
        }
        try (lines.joined(separator: "\n") + "\n").write(
            toFile: directory + "/rollouts.jsonl", atomically: true, encoding: .utf8)
    }
}
