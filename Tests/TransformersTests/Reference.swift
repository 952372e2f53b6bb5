import Foundation
import Tensors

@testable import Transformers

/// A model directory of `../shared/reference/models` with what transformers computes on it.
struct Reference {
    struct Case: Decodable {
        var prompts: [[Int32]]
        var responses: [[Int32]]
    }
    let model: LanguageModel
    let expected: SafeTensors
    let prompts: [[Int32]]
    let responses: [[Int32]]

    /// The folder beside the package; nil where it is not there, and tests that need it skip.
    static let shared: String? = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let path = root.appendingPathComponent("../shared/reference").standardized.path
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }()

    init(_ family: String) throws {
        let directory = (Self.shared ?? "") + "/models/\(family)"
        model = try ModelDirectory.load(directory)
        expected = try SafeTensors(path: directory + "/expected.safetensors")
        let data = try Data(contentsOf: URL(fileURLWithPath: directory + "/case.json"))
        let description = try JSONDecoder().decode(Case.self, from: data)
        (prompts, responses) = (description.prompts, description.responses)
    }

    /// Every prompt with every response below it, and a target for each response token.
    /// With `shared` false, each pair is a tree of its own.
    func forest(shared: Bool) -> (forest: TokenForest, targets: [Target], pairs: [Range<Int>]) {
        var (forest, targets, pairs) = (TokenForest(), [Target](), [Range<Int>]())
        for prompt in prompts {
            let root = shared ? forest.append(prompt) : 0
            for response in responses {
                let parent = shared ? root : forest.append(prompt)
                let segment = forest.append(response, parent: parent)
                let first = targets.count
                var row = forest.lastRow(of: parent) ?? 0
                for (offset, token) in response.enumerated() {
                    targets.append(Target(row: row, token: token))
                    row = forest.segments[segment].range.lowerBound + offset
                }
                pairs.append(first..<targets.count)
            }
        }
        return (forest, targets, pairs)
    }

    /// Mean log-probs S (C, R), and the SAMI loss with ∂loss/∂log-prob, in plain double precision.
    func contrast(
        _ logProbs: [Float], _ pairs: [Range<Int>]
    ) -> (scores: [Double], loss: Double, coefficients: [Float]) {
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
        return (scores, loss / Double(2 * n), coefficients)
    }
}

/// The largest difference in relation to the largest element: what "agrees to 1e-4" means here.
func relativeError(_ found: [Float], _ wanted: [Float]) -> Float {
    guard found.count == wanted.count else { return .infinity }
    let scale = max(wanted.map(abs).max() ?? 0, 1e-12)
    return (zip(found, wanted).map { abs($0 - $1) }.max() ?? 0) / scale
}
