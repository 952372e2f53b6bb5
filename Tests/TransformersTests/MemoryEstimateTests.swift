import Foundation
import NumberTypes
import Tensors
import TestSupport
import Testing

@testable import Transformers

/// The memory that work needs, computed before the work begins.
@Suite struct MemoryEstimateTests {
    private func published(_ name: String) throws -> ModelConfiguration {
        try #require(ModelConfiguration.published[name])
    }

    /// The counts that the model cards state.
    @Test(arguments: [
        ("mistral-7b", 7_241_732_096), ("mixtral-8x7b", 46_702_792_704),
        ("llama3-70b", 70_553_706_496),
    ])
    func publishedShapesHaveThePublishedSizes(name: String, parameters: Int) throws {
        #expect(try published(name).parameterLayout().count == parameters)
        let estimate = try MemoryEstimate(
            published(name), .bfloat16, .generating(batch: 1, prompt: 1, new: 1))
        #expect(estimate.weights == 2 * parameters)
    }

    /// By hand: 32 layers, 8 key heads of 128, keys and values, two bytes each and a scale a row.
    @Test func aCacheIsKeysAndValuesOfEveryLayer() throws {
        let estimate = try MemoryEstimate(
            published("mistral-7b"), .bfloat16, .generating(batch: 4, prompt: 500, new: 350))
        #expect(estimate.cache == 2 * 32 * 8 * (2 * 128 + 4) * 850 * 4)
        #expect(estimate.logits == 4 * 32_000 * 4)
        #expect(estimate.gradients == 0 && estimate.trainedWeights == 0)
        #expect(estimate.total == estimate.parts.reduce(0) { $0 + $1.bytes })
    }

    /// Only float32 weights are rounded, and only for a generation in bfloat16.
    @Test func aGenerationInBFloat16CountsTheRoundedWeights() throws {
        let shape = try published("mistral-7b")
        let parameters = try shape.parameterLayout().count
        let generating = MemoryEstimate.Work.generating(batch: 4, prompt: 500, new: 350)
        let scoring = MemoryEstimate.Work.scoring(
            constitutions: 2, responses: 2, prompt: 400, response: 110)
        for (format, work, bytes) in [
            (StoredFormat.float32, generating, 2 * parameters), (.bfloat16, generating, 0),
            (.float32, scoring, 0),
        ] {
            let plain = try MemoryEstimate(shape, format, work)
            let rounded = try MemoryEstimate(shape, format, work, .portableBFloat16)
            #expect(rounded.roundedWeights == bytes)
            #expect(rounded.total - plain.total == bytes)
        }
    }

    @Test func trainingCountsGradientsMomentsAndTheBaseBesideIt() throws {
        let shape = try published("mistral-7b")
        func training(_ moments: Int, _ keeps: Bool) throws -> MemoryEstimate {
            try MemoryEstimate(
                shape, .bfloat16,
                .training(
                    constitutions: 2, responses: 2, prompt: 400, response: 110, moments: moments,
                    keepsActivations: keeps))
        }
        let (rmsprop, adamw) = (try training(1, true), try training(2, true))
        let parameters = try shape.parameterLayout().count
        #expect(rmsprop.weights == 2 * parameters && rmsprop.trainedWeights == 4 * parameters)
        #expect(rmsprop.gradients == 4 * parameters && rmsprop.moments == 4 * parameters)
        #expect(adamw.total - rmsprop.total == 4 * parameters)
        #expect(try training(1, false).activations < rmsprop.activations / 4)
        #expect(!rmsprop.fits(24 << 30) && rmsprop.fits(200 << 30))
    }

    /// The plan of a backward pass and the estimate count the same.
    @Test(arguments: Families.all.keys.sorted())
    func theEstimateIsWhatThePlanAllows(family: String) throws {
        let shape = ModelConfiguration(
            modelType: family, hiddenSize: 16, layers: 3, heads: 4, feedForwardSize: 24,
            vocabularySize: 50, experts: 2, expertsPerToken: 1)
        let built = try Families.family(shape)
        for keeps in [true, false] {
            let estimate = try MemoryEstimate(
                shape, .float32,
                .training(
                    constitutions: 2, responses: 3, prompt: 10, response: 5, moments: 1,
                    keepsActivations: keeps))
            func strategy(_ budget: Int) -> MemoryPlan.Strategy? {
                try? MemoryPlan(budget: budget).strategy(
                    rows: 2 * (10 + 3 * 5), largestTree: 2 * (10 + 3 * 5), blocks: 3,
                    activationWidth: built.activationWidth, width: 16)
            }
            #expect(strategy(estimate.activations) == (keeps ? .keep : .recompute))
            #expect(strategy(estimate.activations - 1) == (keeps ? .recompute : nil))
        }
    }

    @Test func theLargestBatchThatFitsFits() throws {
        let shape = try published("mistral-7b")
        func estimate(_ batch: Int) throws -> MemoryEstimate {
            try MemoryEstimate(shape, .bfloat16, .generating(batch: batch, prompt: 400, new: 350))
        }
        let available = 20_000_000_000
        let largest = try MemoryEstimate.largest(128, fitting: available, estimate)
        #expect(largest > 1 && largest < 128)
        #expect(try estimate(largest).fits(available))
        #expect(try !estimate(largest + 1).fits(available))
        #expect(try MemoryEstimate.largest(128, fitting: 1 << 30, estimate) == 0)
        #expect(try MemoryEstimate.largest(128, fitting: .max, estimate) == 128)
    }

    @Test func absurdSizesAreLargeAndNothingElse() throws {
        let estimate = try MemoryEstimate(
            published("llama3-70b"), .float32,
            .training(
                constitutions: .max, responses: .max, prompt: .max, response: .max, moments: 2,
                keepsActivations: true))
        #expect(!estimate.fits(1 << 50) && estimate.total > 1 << 59)
    }

    /// docs/MEMORY.md states the results of this computation.
    @Test func theDocumentStatesTheseNumbers() throws {
        let document = try String(
            contentsOfFile: Repository.path("docs/MEMORY.md"), encoding: .utf8)
        for name in ["mistral-7b", "mixtral-8x7b", "llama3-70b"] {
            let shape = try published(name)
            for (work, title) in Self.documented {
                let row = try [StoredFormat.float32, .bfloat16, .q80].map { format in
                    let total = try MemoryEstimate(shape, format, work).total
                    return String(format: "%.1f", Double(total) / 1e9)
                }
                let line = "| \(name) | \(title) | \(row[0]) | \(row[1]) | \(row[2]) |"
                #expect(document.contains(line), "\(line)")
            }
            var adapted = shape
            let kinds = Set(try shape.projections().map(\.kind))
            try adapted.add(AdapterConfiguration(rank: 16, alpha: 32, targets: kinds))
            for keeps in [false, true] {
                let total = try MemoryEstimate(
                    adapted, .bfloat16,
                    .training(
                        constitutions: 2, responses: 2, prompt: 128, response: 32, moments: 2,
                        keepsActivations: keeps)
                ).total
                let line =
                    "| \(name) | \(keeps ? "activations kept" : "blocks run again") | "
                    + String(format: "%.1f |", Double(total) / 1e9)
                #expect(document.contains(line), "\(line)")
            }
        }
    }

    static let documented: [(MemoryEstimate.Work, String)] = [
        (.generating(batch: 1, prompt: 400, new: 350), "generating, 1 prompt"),
        (.generating(batch: 16, prompt: 400, new: 350), "generating, 16 prompts"),
        (
            .scoring(constitutions: 2, responses: 2, prompt: 400, response: 110),
            "scoring a 2 × 2 grid"
        ),
        (
            .training(
                constitutions: 2, responses: 2, prompt: 400, response: 110, moments: 1,
                keepsActivations: false), "training on it, RMSprop, blocks run again"
        ),
        (
            .training(
                constitutions: 2, responses: 2, prompt: 400, response: 110, moments: 1,
                keepsActivations: true), "training on it, RMSprop"
        ),
        (
            .training(
                constitutions: 2, responses: 2, prompt: 400, response: 110, moments: 2,
                keepsActivations: true), "training on it, AdamW"
        ),
    ]
}
