import Rendering
import Transformers

/// The memory that each kind of work with a model takes, computed before any work begins.
enum ModelMemory {
    static func document(_ model: LanguageModel) throws -> Document {
        let configuration = model.configuration
        // Typical lengths for this model: a post and its summary, or less.
        let prompt = min(512, max(1, configuration.contextLength * 3 / 4))
        let response = min(128, max(1, configuration.contextLength / 4))
        let free = MemoryPlan.availableBytes
        func training(_ moments: Int, keeps: Bool) -> MemoryEstimate.Work {
            .training(
                constitutions: 2, responses: 2, prompt: prompt, response: response,
                moments: moments, keepsActivations: keeps)
        }
        let kinds: [(String, MemoryEstimate.Work)] = [
            ("generate, one answer", .generating(batch: 1, prompt: prompt, new: response)),
            ("generate, 32 answers", .generating(batch: 32, prompt: prompt, new: response)),
            (
                "score, S (2, 2)",
                .scoring(constitutions: 2, responses: 2, prompt: prompt, response: response)
            ),
            ("train, RMSprop", training(1, keeps: true)),
            ("train, RMSprop, blocks run twice", training(1, keeps: false)),
            ("train, AdamW", training(2, keeps: true)),
        ]
        var table = Table([
            .init("work"), .init("needs", isNumeric: true), .init("most of it"), .init("fits"),
        ])
        for (name, work) in kinds {
            let estimate = try MemoryEstimate(configuration, model.weightType, work)
            let largest = estimate.parts.max { $0.bytes < $1.bytes }
            table.append([
                name, NumberText.bytes(estimate.total),
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
}
