import Alignment
import CommandLanguage
import Tensors
import Tokenizers
import Transformers
import Worlds

/// Measures a model of the shipped world by the world's own programs.
struct Gates {
    private let model: ModelNoun
    private let tokenizer: Tokenizer
    private let count: Int
    private let invocation: Invocation
    private let world = World.everyday

    init(_ model: ModelNoun, _ count: Int, _ invocation: Invocation) throws {
        self.model = model
        self.count = count
        self.invocation = invocation
        tokenizer = try invocation.tokenizer(of: model)
    }

    private struct Row {
        var dimension: Dimension
        var marked = 0
        var unmarked = 0
    }

    /// Half of the queries are posts, half are questions; each principle and its opposite get half.
    func result() throws -> CommandResult {
        var rows: [Row] = []
        var meter = invocation.meter("describe")
        defer { meter.finish() }
        var malformed = (marked: 0, unmarked: 0)
        var details = Faithfulness(right: 0, total: 0)
        let dimensions = world.dimensions
        for (number, dimension) in dimensions.enumerated() {
            var row = Row(dimension: dimension)
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
                let responses = try sample(prompts, UInt64(number * 2 + (isMarked ? 1 : 0)))
                for (response, item) in zip(responses, cases) {
                    let follows = world.adherence(
                        response: response, query: item.query.text, dimension: dimension.style,
                        polarity: item.polarity)
                    let isBroken = world.isMalformed(response, query: item.query.text)
                    if isMarked {
                        row.marked += follows ? 1 : 0
                        malformed.marked += isBroken ? 1 : 0
                    } else {
                        row.unmarked += follows ? 1 : 0
                        malformed.unmarked += isBroken ? 1 : 0
                    }
                    if let found = world.faithfulness(response: response, query: item.query.text) {
                        details = details + found
                    }
                }
                meter.update(
                    2 * number + (isMarked ? 1 : 2), of: 2 * dimensions.count, unit: "rows")
            }
            rows.append(row)
        }
        let pairs = try writerShare()
        return report(rows, malformed, details, pairs)
    }

    private func sample(_ prompts: [String], _ label: UInt64) throws -> [String] {
        let encoded = prompts.map { tokenizer.encode($0) }
        let room = model.model.configuration.longestSequence - (encoded.map(\.count).max() ?? 0)
        guard room > 0 else {
            throw ModelError.tooLong(
                tokens: encoded.map(\.count).max() ?? 0,
                context: model.model.configuration.longestSequence)
        }
        let settings = SamplerSettings(
            temperature: 1, maxTokens: min(120, room), stopTokens: model.model.stopTokens(tokenizer)
        )
        let key = RandomKey(seed: invocation.session.seed).child("gates").child(label)
        let generations = try model.model.generate(
            encoded.enumerated().map {
                GenerationRequest(prompt: $0.element, key: key.child(UInt64($0.offset)))
            }, settings, memory: invocation.session.settings.memoryPlan,
            progress: { _ in invocation.isInterrupted ? .stop : .more })
        if invocation.isInterrupted {
            throw invocation.complaint(Complaint.interrupted("stopped; nothing has changed"))
        }
        return generations.map { tokenizer.decode($0.tokens) }
    }

    /// The share of proposed pairs that the world knows as opposites, and how many pairs there were.
    private func writerShare() throws -> (share: Double, pairs: Int) {
        var good = 0
        var all = 0
        for kind in QueryKind.allCases {
            let texts = try sample(
                Array(repeating: world.writerPrompt(kind), count: max(1, count / 4)),
                kind == .summary ? 1000 : 1001)
            for text in texts {
                let found = PrincipleParser().pairs(in: text)
                all += found.pairs.count + found.rejected.count
                good += found.pairs.count { world.areOpposite($0.principle, $0.antithesis) }
            }
        }
        return (all > 0 ? Double(good) / Double(all) : 0, all)
    }

    private func report(
        _ rows: [Row], _ malformed: (marked: Int, unmarked: Int), _ details: Faithfulness,
        _ pairs: (share: Double, pairs: Int)
    ) -> CommandResult {
        func share(_ number: Int, _ total: Int) -> Double { Double(number) / Double(max(1, total)) }
        let total = count * rows.count
        var table = Table([
            .init("dimension"), .init("trained"), .init("careful author", isNumeric: true),
            .init("no author", isNumeric: true),
        ])
        var record = Record()
        var dimensions: [Value] = []
        for row in rows {
            table.append([
                row.dimension.name, row.dimension.isTrained ? "yes" : "held out",
                NumberText.percent(share(row.marked, count)),
                NumberText.percent(share(row.unmarked, count)),
            ])
            dimensions.append(
                .record([
                    "dimension": .text(row.dimension.name),
                    "trained": .bool(row.dimension.isTrained),
                    "careful": .number(share(row.marked, count)),
                    "unmarked": .number(share(row.unmarked, count)),
                ]))
        }
        let marked = share(rows.reduce(0) { $0 + $1.marked }, total)
        let unmarked = share(rows.reduce(0) { $0 + $1.unmarked }, total)
        table.append([
            "all", "", NumberText.percent(marked), NumberText.percent(unmarked),
        ])
        table.append([
            "malformed", "", NumberText.percent(share(malformed.marked, total)),
            NumberText.percent(share(malformed.unmarked, total)),
        ])
        var text = StyledText("adherence at temperature 1, \(count) queries a row", .heading)
        text.line(table.drawn(invocation.appearance))
        let right = share(details.right, details.total)
        text.line(
            "copied details right: \(NumberText.percent(right)) of "
                + NumberText.grouped(details.total))
        text.line(
            "principles well-formed and opposite: \(NumberText.percent(pairs.share)) of "
                + NumberText.count(pairs.pairs, "pair"))
        record["dimensions"] = .list(dimensions)
        record["careful"] = .number(marked)
        record["unmarked"] = .number(unmarked)
        record["malformed_careful"] = .number(share(malformed.marked, total))
        record["malformed"] = .number(share(malformed.unmarked, total))
        record["details"] = .number(right)
        record["writer"] = .number(pairs.share)
        record["count"] = Value(count)
        return CommandResult(value: .record(record), text: text)
    }
}
