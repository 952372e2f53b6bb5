import Alignment
import LongWork
import Tensors
import TextModels
import Transformers
import Worlds

/// Measures a model of the shipped world with the world's own programs.
///
/// For every dimension of style the model answers queries under one principle, once with a careful
/// author and once without an author. The programs then decide whether each response follows the
/// principle. Half of the queries are posts, half are questions; each principle and its opposite
/// get half of the queries.
package struct ShippedModelEvaluation {
    private let model: TextModel
    private let count: Int
    private let key: RandomKey
    private let memory: MemoryPlan
    private let cancel: () -> Continuation
    private let world = World.everyday

    /// - Parameters:
    ///   - count: queries for each dimension, with and without an author.
    ///   - cancel: asked while the model generates.
    package init(
        _ model: TextModel, count: Int, seed: UInt64,
        memory: MemoryPlan, cancel: @escaping () -> Continuation
    ) {
        self.model = model
        self.count = count
        self.memory = memory
        self.cancel = cancel
        // The label of version 0.1.0: its figures in docs/LOG.md can be reproduced.
        key = RandomKey(seed: seed).child("gates")
    }

    /// The number of responses with a property, out of a number of responses.
    package struct Count {
        package var of = 0
        package var total = 0

        package var share: Double { Double(of) / Double(max(1, total)) }

        mutating func add(_ holds: Bool) {
            of += holds ? 1 : 0
            total += 1
        }
    }

    /// Responses to prompts with a careful author, and to prompts without an author.
    package struct Pair {
        package var careful = Count()
        package var unmarked = Count()

        mutating func add(_ holds: Bool, isMarked: Bool) {
            if isMarked { careful.add(holds) } else { unmarked.add(holds) }
        }
    }

    package struct Report {
        package var count: Int
        /// Responses that follow their principle, by dimension.
        package var adherence: [(dimension: Dimension, answers: Pair)] = []
        package var all = Pair()
        package var malformed = Pair()
        /// Details of the queries that responses repeat correctly.
        package var details = Faithfulness(right: 0, total: 0)
        /// Pairs of principles that the model writes and that the world knows as opposites.
        package var principles = Count()
    }

    /// Nil if it was stopped.
    ///
    /// - Parameter progress: called with the number of finished rows and of all rows.
    package func run(progress: (_ done: Int, _ total: Int) -> Void) throws -> Report? {
        var report = Report(count: count)
        let dimensions = world.dimensions
        for (number, dimension) in dimensions.enumerated() {
            var row = Pair()
            for isMarked in [true, false] {
                var prompts: [String] = []
                var cases: [(query: Worlds.Query, polarity: Bool)] = []
                for index in 0..<count {
                    let kind: QueryKind = index % 2 == 0 ? .summary : .answer
                    let polarity = index / 2 % 2 == 0
                    let query = world.query(
                        kind: kind, split: .test, index: number * count + index)
                    let principle = dimension.wording(index, polarity: polarity, kind: kind)
                    let prompt = world.prompt(principles: [principle], query: query)
                    prompts.append((isMarked ? world.header(.careful) : "") + prompt)
                    cases.append((query, polarity))
                }
                guard
                    let responses = try sample(prompts, UInt64(number * 2 + (isMarked ? 1 : 0)))
                else { return nil }
                for (response, item) in zip(responses, cases) {
                    let follows = world.adherence(
                        response: response, query: item.query.text, dimension: dimension.style,
                        polarity: item.polarity)
                    row.add(follows, isMarked: isMarked)
                    report.all.add(follows, isMarked: isMarked)
                    report.malformed.add(
                        world.isMalformed(response, query: item.query.text), isMarked: isMarked)
                    if let found = world.faithfulness(response: response, query: item.query.text) {
                        report.details = report.details + found
                    }
                }
                progress(2 * number + (isMarked ? 1 : 2), 2 * dimensions.count)
            }
            report.adherence.append((dimension, row))
        }
        guard let principles = try writtenPrinciples() else { return nil }
        report.principles = principles
        return report
    }

    private func sample(_ prompts: [String], _ label: UInt64) throws -> [String]? {
        let prompts = prompts.map { model.prompt($0) }
        let longest = prompts.map(\.tokens.count).max() ?? 0
        guard longest < model.context else {
            throw ModelError.tooLong(tokens: longest, context: model.context)
        }
        let key = key.child(label)
        let completions = try model.complete(
            prompts.enumerated().map {
                CompletionRequest($0.element, key: key.child(UInt64($0.offset)))
            }, Sampling(maxTokens: min(120, model.context - longest)), memory: memory,
            progress: { _ in cancel() })
        if case .stop = cancel() { return nil }
        return completions.map(\.text)
    }

    /// The pairs of principles that the model proposes, and the number of opposites among them.
    private func writtenPrinciples() throws -> Count? {
        var pairs = Count()
        for kind in QueryKind.allCases {
            let prompts = Array(repeating: world.writerPrompt(kind), count: max(1, count / 4))
            guard let texts = try sample(prompts, kind == .summary ? 1000 : 1001) else {
                return nil
            }
            for text in texts {
                let found = PrincipleParser().pairs(in: text, meaning: WorldMeasure.meaning)
                pairs.total += found.pairs.count + found.rejected.count
                pairs.of += found.pairs.count { world.areOpposite($0.principle, $0.antithesis) }
            }
        }
        return pairs
    }
}
