import Layers
import NumberTypes
import Rendering
import Transformers
import Values

/// The memory that each kind of work with a model takes, computed before any work begins.
struct ModelMemory {
    let configuration: ModelConfiguration
    /// How the weights are stored.
    let format: StoredFormat
    /// Of the products.
    var arithmetic = Arithmetic.float32
    /// Lengths in tokens.
    var prompt: Int
    var response: Int

    /// The rank of the adapters that are planned for a model without any.
    private static let rank = 16

    /// - Parameters:
    ///   - prompt, response: lengths in tokens; typical for the model by default, a post and its
    ///     summary, or less.
    init(
        _ configuration: ModelConfiguration, _ format: StoredFormat, prompt: Int? = nil,
        response: Int? = nil
    ) {
        self.configuration = configuration
        self.format = format
        self.prompt = prompt ?? min(512, max(1, configuration.contextLength * 3 / 4))
        self.response = response ?? min(128, max(1, configuration.contextLength / 4))
    }

    private struct Row {
        let name: String
        let configuration: ModelConfiguration
        let work: MemoryEstimate.Work
    }

    private func rows() throws -> [Row] {
        func training(_ moments: Int, keeps: Bool) -> MemoryEstimate.Work {
            .training(
                constitutions: 2, responses: 2, prompt: prompt, response: response,
                moments: moments, keepsActivations: keeps)
        }
        func own(_ name: String, _ work: MemoryEstimate.Work) -> Row {
            Row(name: name, configuration: configuration, work: work)
        }
        var rows = [
            own("generate, one answer", .generating(batch: 1, prompt: prompt, new: response)),
            own("generate, 32 answers", .generating(batch: 32, prompt: prompt, new: response)),
            own(
                "score, S (2, 2)",
                .scoring(constitutions: 2, responses: 2, prompt: prompt, response: response)),
        ]
        let adapted = try adapted()
        var name = "train the adapters"
        if configuration.adapter == nil {
            rows += [
                own("train, RMSprop", training(1, keeps: true)),
                own("train, RMSprop, blocks twice", training(1, keeps: false)),
                own("train, AdamW", training(2, keeps: true)),
            ]
            name = "train adapters, rank \(Self.rank)"
        }
        return rows + [
            Row(name: name + ", AdamW", configuration: adapted, work: training(2, keeps: true)),
            Row(
                name: name + ", blocks twice", configuration: adapted,
                work: training(2, keeps: false)),
        ]
    }

    /// The same shape with adapters on all projections, if it has none.
    func adapted() throws -> ModelConfiguration {
        guard configuration.adapter == nil else { return configuration }
        var adapted = configuration
        let all = Set(try configuration.projections().map(\.kind))
        try adapted.add(
            AdapterConfiguration(rank: Self.rank, alpha: Double(2 * Self.rank), targets: all))
        return adapted
    }

    func document() throws -> Document {
        let free = MemoryPlan.availableBytes
        var table = Table([
            .init("work"), .init("needs", isNumeric: true), .init("most of it"), .init("fits"),
        ])
        for row in try rows() {
            let estimate = try MemoryEstimate(row.configuration, format, row.work, arithmetic)
            let largest = estimate.parts.max { $0.bytes < $1.bytes }
            table.append([
                row.name, NumberText.bytes(estimate.total),
                largest.map { "\($0.name) \(NumberText.bytes($0.bytes))" } ?? "",
                estimate.fits(free) ? "yes" : "no",
            ])
        }
        var document = Document(
            "memory for prompts of \(prompt) tokens and answers of \(response), "
                + "\(NumberText.bytes(free)) free", .faint)
        document.line(table)
        return document
    }

    /// The same as data: a record of bytes for each kind of work.
    func value() throws -> Value {
        .list(
            try rows().map { row in
                let estimate = try MemoryEstimate(row.configuration, format, row.work, arithmetic)
                var record: Record = ["work": .text(row.name), "bytes": Value(estimate.total)]
                for part in estimate.parts { record[part.name] = Value(part.bytes) }
                return .record(record)
            })
    }
}
