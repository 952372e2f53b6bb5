import Tensors
import TestSupport
import Testing
import TextModels
import Transformers

@testable import Alignment

@Suite struct RolloutTests {
    static func settings(_ change: (inout RolloutSettings) -> Void = { _ in }) -> RolloutSettings {
        var settings = RolloutSettings()
        settings.sampling.maxTokens = 40
        change(&settings)
        return settings
    }

    @Test func `every constitution of every query gets its responses`() throws {
        let babbler = try Babbler.words()
        let rollouts = try babbler.rollOut(Self.settings { $0.samples = 3 }, count: 4)
        #expect(rollouts.groups.count > 4)
        #expect(rollouts.groups.count + rollouts.rejected.count == 12)
        for group in rollouts.groups {
            #expect(group.prompts.count == 4 && group.responses.count == 12 && group.samples == 3)
            for (column, response) in group.responses.enumerated() {
                #expect(response.constitution == column % 4 && response.sample == column / 4)
                let text = try #require(response.text)
                #expect(text.hasSuffix(".") && !text.hasPrefix(" "))
                #expect(response.sampledTokens == text.count + 1)
            }
            let query = try #require(rollouts.query(group.id))
            #expect(Babbler.queries.contains(query))
            guard case .text(let prompt) = group.prompts[0] else { continue }
            #expect(prompt.hasSuffix("POST: \(query.text)\n\nSummary:"))
        }
    }

    /// On a model with dense random weights, where other rows or another order of sums would show.
    @Test func `a response does not depend on what is sampled beside it`() throws {
        let words = try Babbler.words()
        var configuration = TinyModels.configuration(
            "llama", width: 64, vocabulary: words.tokenizer.idLimit, context: 200)
        configuration.beginToken = words.tokenizer.bos
        configuration.endTokens = [try #require(words.tokenizer.eos)]
        let dense = Babbler(
            model: try TinyModels.model(configuration, seed: 8), tokenizer: words.tokenizer)
        // Random text seldom ends, and has many invalid characters.
        let settings = Self.settings {
            $0.requiresEnd = false
            $0.sampling.maxTokens = 24
        }
        func responses(_ settings: RolloutSettings, _ queries: Int) throws -> [QueryID: [String]] {
            let rollouts = try dense.rollOut(
                settings, queries: Array(Babbler.queries.prefix(queries)))
            var texts: [QueryID: [String]] = [:]
            for group in rollouts.groups { texts[group.id] = group.responses.compactMap(\.text) }
            for rejected in rollouts.rejected {
                texts[rejected.id] = [rejected.text, String(describing: rejected.constitution)]
            }
            return texts
        }
        let all = try responses(settings, 12)
        #expect(all.count == 12)
        #expect(Set(all.values.map { $0[0] }).count > 6, "random models repeat themselves seldom")
        for count in [1, 2, 3, 7] {
            let few = try responses(settings, count)
            #expect(few.count == count)
            for (id, texts) in few { #expect(all[id] == texts, "\(id), \(count) queries") }
        }
    }

    @Test func `the first of several samples is the only one of a single`() throws {
        let babbler = try Babbler.words()
        let all = try babbler.rollOut(Self.settings())
        let more = try babbler.rollOut(Self.settings { $0.samples = 2 })
        var compared = 0
        for group in more.groups {
            guard let single = all.groups.first(where: { $0.id == group.id }) else {
                continue
            }
            #expect(single.responses == Array(group.responses.prefix(2)))
            compared += 1
        }
        #expect(compared > 3)
    }

    @Test func `greedy responses are identical here, and rejected as such`() throws {
        let table: [Character: [(Character, Double)]] = [
            ":": [(" ", 1)], " ": [("a", 1)], "a": [(".", 1)], ".": [("$", 1)],
        ]
        let rollouts = try Babbler(table).rollOut(Self.settings { $0.sampling.temperature = 0 })
        #expect(rollouts.groups.isEmpty)
        #expect(rollouts.counts.map { "\($0.reason) \($0.count)" } == ["identical 12"])
        #expect(rollouts.rejected[3].constitution == 1)
        #expect(rollouts.rejected[3].text == "a.")
    }

    @Test func `empty, endless and broken responses are each counted under their name`() throws {
        let endless: [Character: [(Character, Double)]] = [":": [("a", 1)], "a": [("a", 1)]]
        let cases: [(RolloutRejection, [Character: [(Character, Double)]])] = [
            (.empty, [":": [("$", 1)]]),
            (.empty, [":": [(" ", 1)], " ": [("$", 1)]]),
            (.unfinished, endless),
            (.malformed, [":": [("\u{7}", 1)], "\u{7}": [("$", 1)]]),
        ]
        for (reason, table) in cases {
            let rollouts = try Babbler(table).rollOut(Self.settings { $0.sampling.temperature = 0 })
            #expect(rollouts.rejected.map(\.reason) == Array(repeating: reason, count: 12))
        }
        let refused = try Babbler.words().rollOut(
            Self.settings(), isMalformed: { text, _ in text.contains("a") })
        #expect(
            refused.groups.allSatisfy { group in
                group.responses.allSatisfy { $0.text?.contains("a") == false }
            })
        #expect(refused.counts.contains { $0.reason == .malformed })
        let allowed = try Babbler(endless).rollOut(
            Self.settings {
                $0.sampling.temperature = 0
                $0.requiresEnd = false
            })
        #expect(allowed.counts.map(\.reason) == [.identical])
        #expect(allowed.rejected[0].text == String(repeating: "a", count: 40))
    }

    @Test func `a stop marker ends a response early and is not part of it`() throws {
        let table: [Character: [(Character, Double)]] = [
            ":": [("a", 1)], "a": [("\n", 1)], "\n": [("b", 1)], "b": [("a", 1)],
        ]
        var prompts = Prompts.tiny
        prompts.stops = ["\nb"]
        let rollouts = try Babbler(table).rollOut(
            Self.settings { $0.sampling.temperature = 0 }, prompts: prompts)
        #expect(rollouts.rejected.allSatisfy { $0.text == "a" && $0.reason == .identical })
    }

    @Test func `a response prefix begins every response`() throws {
        var prompts = Prompts.tiny
        prompts.post.responsePrefix = "Ah:"
        let rollouts = try Babbler.words().rollOut(Self.settings(), prompts: prompts)
        for group in rollouts.groups {
            #expect(group.responses.allSatisfy { $0.text?.hasPrefix("Ah: ") == true })
            guard case .text(let prompt) = group.prompts[0] else { continue }
            #expect(prompt.hasSuffix("Summary:"))
        }
        #expect(!rollouts.groups.isEmpty)
    }

    @Test func `queries that do not fit are skipped by name, or refused before any work`() throws {
        var queries = Array(Babbler.queries.prefix(3))
        queries[1].text = String(repeating: "x", count: 150)
        let babbler = try Babbler.words()
        let rollouts = try babbler.rollOut(Self.settings(), queries: queries)
        #expect(rollouts.rejected.filter { $0.reason == .overflow }.map(\.id) == ["q1"])
        #expect(
            throws: AlignmentError.overflow(queries: ["q1"], context: 200, maxTokens: 40)
        ) {
            try babbler.rollOut(Self.settings { $0.overflow = .error }, queries: queries)
        }
    }

    @Test func `a stop keeps whole queries only`() throws {
        let babbler = try Babbler.words()
        let rollouts = try babbler.rollOut(
            Self.settings(), progress: { $0.tokens > 60 ? .stop : .more })
        #expect(rollouts.isStopped)
        #expect(rollouts.groups.count < 12)
        let whole = try babbler.rollOut(Self.settings())
        for group in rollouts.groups { #expect(whole.groups.contains(group)) }
    }

    @Test func `numbers that cannot be end in a sentence`() throws {
        let babbler = try Babbler.words()
        for samples in [0, -1, Int.max] {
            #expect(throws: AlignmentError.sampleCount(samples)) {
                try babbler.rollOut(Self.settings { $0.samples = samples })
            }
        }
        for change: (inout RolloutSettings) -> Void in [
            { $0.sampling.temperature = -1 }, { $0.sampling.topP = 0 },
            { $0.sampling.maxTokens = 0 }, { $0.sampling.minP = 2 },
            { $0.sampling.temperature = .nan }, { $0.sampling.maxTokens = -5 },
        ] {
            #expect(throws: ModelError.self) { try babbler.rollOut(Self.settings(change)) }
        }
        #expect(throws: AlignmentError.unknownQuery("q9")) {
            try RolloutSampler().sample(
                Array(Babbler.queries.prefix(1)),
                [ConstitutionGroup(query: "q9", constitutions: [], training: [])],
                with: babbler.text(), key: RandomKey(seed: 1))
        }
    }

    @Test func `rollouts go to lines and back`() throws {
        let rollouts = try Babbler.words().rollOut(Self.settings { $0.samples = 2 })
        let lines = rollouts.lines
        #expect(lines.count == rollouts.groups.count * 4)
        let read = try Rollouts(lines: lines)
        #expect(read.groups.map(\.id) == rollouts.groups.map(\.id))
        #expect(read.groups.map(\.prompts) == rollouts.groups.map(\.prompts))
        #expect(read.lines == lines)
        #expect(
            read.groups[0].responses[1].text == " " + (rollouts.groups[0].responses[1].text ?? ""))
    }

    static func line(_ number: Int, _ constitution: Int, prompt: String = "p") -> RolloutLine {
        RolloutLine(
            line: number, query: "7", constitution: constitution,
            prompt: .text("\(prompt)\(constitution)"), response: .text("r\(number)"))
    }

    @Test func `lines are put into columns grid by grid`() throws {
        let lines = [(1, 0), (2, 0), (3, 1), (4, 1)].map { Self.line($0, $1) }
        let group = try #require(try Rollouts(lines: lines).groups.first)
        #expect(group.responses.map(\.text) == ["r1", "r3", "r2", "r4"])
        #expect(group.responses.map(\.sample) == [0, 0, 1, 1])
    }

    @Test func `a bad line is named`() throws {
        func problem(_ lines: [RolloutLine]) -> AlignmentError? {
            do {
                _ = try Rollouts(lines: lines)
                return nil
            } catch { return error as? AlignmentError }
        }
        #expect(problem([]) == .noRollouts)
        var line = Self.line(17, 0)
        line.response = .text("")
        #expect(problem([line]) == .rolloutLine(17, .emptyResponse))
        line.response = .tokens([1])
        #expect(problem([line]) == .rolloutLine(17, .mixedKinds))
        line.prompt = .tokens([])
        #expect(problem([line]) == .rolloutLine(17, .emptyPrompt))
        #expect(problem([Self.line(3, -1)]) == .rolloutLine(3, .constitutionNumber(-1)))
        #expect(
            problem([Self.line(1, 0), Self.line(2, 0, prompt: "other")])
                == .rolloutLine(2, .otherPrompt(first: 1)))
        #expect(
            problem([Self.line(1, 0), Self.line(2, 2)])
                == .rolloutGrid(query: "7", counts: [0: 1, 2: 1]))
        #expect(
            problem([Self.line(1, 0), Self.line(2, 1), Self.line(3, 1)])
                == .rolloutGrid(query: "7", counts: [0: 1, 1: 2]))
    }

    @Test func `prompt and response are encoded together`() throws {
        let babbler = try Babbler.words()
        func batch(_ prompt: TextOrTokens, _ separator: String, _ response: TextOrTokens) throws
            -> ContrastBatch
        {
            try ContrastBatch(
                RolloutGroup(
                    id: "q", prompts: [prompt, prompt], separator: separator,
                    responses: [
                        Response(content: response, constitution: 0, sample: 0),
                        Response(content: response, constitution: 1, sample: 0),
                    ]), tokenizer: babbler.tokenizer, configuration: babbler.model.configuration)
        }
        let sequence = try batch(.text("Q:"), " ", .text("ab"))[0, 0]
        #expect(babbler.tokenizer.decode(sequence.tokens) == "Q: ab")
        #expect(babbler.tokenizer.decode(sequence.tokens[sequence.scored]) == " ab")
        #expect(try batch(.text("Q: "), "", .text("ab"))[0, 0].scored.count == 2)
        #expect(throws: AlignmentError.emptyResponse(query: "q", response: 0)) {
            try batch(.text("Q:"), "", .text(""))
        }
        #expect(throws: AlignmentError.emptyPrompt(query: "q")) {
            try batch(.tokens([]), "", .tokens([5]))
        }
        #expect(throws: AlignmentError.mixedPassages(query: "q")) {
            try batch(.text("Q:"), "", .tokens([5]))
        }
        #expect(throws: AlignmentError.outsideVocabulary(query: "q", token: -4, vocabulary: 259)) {
            try batch(.tokens([5]), "", .tokens([6, -4]))
        }
        #expect(throws: AlignmentError.tooLong(query: "q", tokens: 201, context: 200)) {
            try batch(.tokens(Array(repeating: 5, count: 201)), "", .tokens([5]))
        }
        #expect(
            try batch(.tokens(Array(repeating: 5, count: 200)), "", .tokens([5])).responses == 2)
    }
}
