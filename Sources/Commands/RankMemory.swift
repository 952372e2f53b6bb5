import NumberTypes
import Rendering
import Transformers
import Values

/// The memory of each rank for a model that is divided by layers, computed before any rank starts.
struct RankMemory {
    let model: ModelMemory
    let ranks: Int
    /// Bytes of a machine.
    let machine: Int

    /// A gigabyte as machines are sold and as `NumberText` counts.
    static let gigabyte = 1_000_000_000

    private struct Row {
        let name: String
        let blocks: String
        let works: [MemoryEstimate]

        var largest: Int { works.map(\.total).max() ?? 0 }
    }

    private func rows() throws -> [Row] {
        let adapted = try model.adapted()
        let generating = MemoryEstimate.Work.generating(
            batch: 32, prompt: model.prompt, new: model.response)
        let training = MemoryEstimate.Work.training(
            constitutions: 2, responses: 2, prompt: model.prompt, response: model.response,
            moments: 2, keepsActivations: false)
        let stages = try LayerStage.division(of: model.configuration, into: ranks)
        var rows = try stages.map { stage in
            Row(
                name: "\(stage.number + 1)",
                blocks: "\(stage.blocks.lowerBound) to \(stage.blocks.upperBound - 1)",
                works: [
                    try MemoryEstimate(
                        model.configuration, model.format, generating, model.arithmetic,
                        stage: stage),
                    try MemoryEstimate(
                        adapted, model.format, training, model.arithmetic, stage: stage),
                ])
        }
        rows.append(
            Row(
                name: "session", blocks: "",
                works: [try MemoryEstimate.session(adapted, moments: 2)]))
        return rows
    }

    func document() throws -> Document {
        var table = Table([
            .init("rank"), .init("layers"), .init("weights", isNumeric: true),
            .init("generate, 32 answers", isNumeric: true),
            .init("train adapters, AdamW", isNumeric: true), .init("fits"),
        ])
        for row in try rows() {
            let bytes = row.works.map { NumberText.bytes($0.total) }
            let isRank = row.works.count == 2
            table.append([
                row.name, row.blocks, isRank ? NumberText.bytes(row.works[0].weights) : "",
                isRank ? bytes[0] : "", bytes[bytes.count - 1],
                row.largest <= machine ? "yes" : "no",
            ])
        }
        let count = try LayerStage.division(of: model.configuration, into: ranks).count
        var document = Document(
            "\(count) ranks with split=layers, each on a machine of \(NumberText.bytes(machine)); "
                + "prompts of \(model.prompt) tokens and answers of \(model.response)", .faint)
        document.line(table)
        return document
    }

    func value() throws -> Value {
        .list(
            try rows().map { row in
                var record: Record = [
                    "rank": .text(row.name), "layers": .text(row.blocks),
                    "bytes": Value(row.largest), "fits": .bool(row.largest <= machine),
                ]
                for part in row.works[row.works.count - 1].parts {
                    record[part.name] = Value(part.bytes)
                }
                return .record(record)
            })
    }
}
