import Testing

@testable import Worlds

private let world = World.everyday

private func queries(_ count: Int, split: Split = .test) -> [Query] {
    QueryKind.allCases.flatMap { kind in
        (0..<count).map { world.query(kind: kind, split: split, index: $0) }
    }
}

@Suite struct QueryTests {
    @Test func aQueryReadsBackToItsSituation() {
        for query in queries(200) + queries(200, split: .train) {
            #expect(world.situation(of: query.text) == query.situation, "\(query.text)")
            #expect(world.situation(of: query.body) == query.situation, "\(query.body)")
        }
    }

    @Test func aQueryReadsAsPlainEnglish() {
        let situation = Situation(
            kind: .summary, name: "Nora", age: 34, role: "sister", fact: "sold the car",
            second: "lost the keys", feeling: "angry", ask: "move out")
        #expect(
            world.query(situation, id: "x").text
                == "POST: I am Nora, 34. My sister sold the car and lost the keys. "
                + "I feel angry. Should I move out?")
        var question = situation
        (question.kind, question.second, question.ask) = (.answer, nil, nil)
        #expect(
            world.query(question, id: "x").text
                == "QUESTION: I am Nora, 34, and angry. My sister sold the car. What now?")
    }

    @Test(arguments: [
        "", "POST: ", "POST: I am Nora, 34.", "My cat is on the roof.",
        "QUESTION: I am Nora, 17, and angry. My sister sold the car. What now?",
        "QUESTION: I am Nora, 34, and angry. My sister sold the car. What now? ",
        "POST: I am Nora, 34, and angry. My sister sold the car. What now?",
    ])
    func otherTextIsNoQueryOfTheWorld(_ text: String) {
        #expect(world.situation(of: text) == nil)
    }

    @Test func queriesComeFromTheirSplitAndTheSplitsShareNoContent() {
        for split in Split.allCases {
            #expect(queries(300, split: split).allSatisfy { $0.situation.split == split })
        }
        // A name or an age never changes the split of a situation.
        for query in queries(100) {
            var other = query.situation
            (other.name, other.age) = ("Olga", 21)
            if let second = other.second { (other.fact, other.second) = (second, other.fact) }
            #expect(other.split == .test)
        }
    }

    @Test func idsNameKindSplitAndIndex() {
        #expect(world.query(kind: .summary, split: .test, index: 17).id == "summaries-test-17")
        #expect(world.query(kind: .answer, split: .train, index: 0).id == "answers-train-0")
    }

    @Test func theSameIndexGivesTheSameQueryAndSeedsDiffer() {
        let once = world.query(kind: .summary, split: .test, index: 5, seed: 9)
        #expect(once == world.query(kind: .summary, split: .test, index: 5, seed: 9))
        #expect(once.body != world.query(kind: .summary, split: .test, index: 5, seed: 10).body)
        #expect(Set(queries(300).map(\.body)).count > 590)
    }

    /// Fixes the stream itself: a corpus must not change for a checkpoint that was trained on it.
    @Test func theGeneratorGivesThePublishedStream() {
        var random = SplitMix64(seed: 1_234_567)
        #expect(random.next() == 6_457_827_717_110_365_317)
        #expect(random.next() == 3_203_168_211_198_807_973)
    }
}

@Suite struct ResponseTests {
    private func render(_ query: Query, _ styles: Attributes, seed: UInt64) -> String {
        var random = SplitMix64(seed: seed)
        return world.sentences(for: query.situation, styles: styles, using: &random)
            .map { " " + $0 }.joined()
    }

    @Test func everyCombinationOfStylesIsWellFormedFaithfulAndMeasuredAsDrawn() {
        for (number, query) in queries(2).enumerated() {
            for bits in 0..<1024 {
                var styles = Attributes()
                for (place, style) in Style.allCases.enumerated() {
                    styles[style] = bits >> place & 1 == 1
                }
                let response = render(query, styles, seed: UInt64(bits + number))
                #expect(!world.isMalformed(response, query: query.text), "\(response)")
                #expect(
                    world.faithfulness(response: response, query: query.text)?.isFaithful == true)
                let wrong = Style.allCases.filter { style in
                    [true, false].contains { polarity in
                        world.adherence(
                            response: response, query: query.text, dimension: style,
                            polarity: polarity) != (styles[style] == polarity)
                    }
                }
                #expect(wrong.isEmpty, "\(response)")
            }
        }
    }

    @Test func whatLeavesTheGrammarIsMalformed() {
        let query = world.query(kind: .summary, split: .test, index: 3)
        let other = world.query(kind: .answer, split: .test, index: 3)
        var styles = Attributes()
        styles[.formal] = true
        let good = render(query, styles, seed: 1)
        #expect(!world.isMalformed(good, query: query.text))
        #expect(!world.isMalformed(String(good.dropFirst()), query: query.text))
        let sentences = good.split(separator: ".").map { $0 + "." }
        for place in sentences.indices {
            var shorter = sentences
            shorter.remove(at: place)
            #expect(world.isMalformed(shorter.joined(), query: query.text), "without \(place)")
            var doubled = sentences
            doubled.insert(sentences[place], at: place)
            #expect(world.isMalformed(doubled.joined(), query: query.text), "twice \(place)")
            if place > 0 {
                var swapped = sentences
                swapped.swapAt(place, place - 1)
                #expect(world.isMalformed(swapped.joined(), query: query.text), "swapped \(place)")
            }
        }
        for broken in [
            "", " ", good + " ", good + "\n", good + " And so on.", "  " + good,
            good.replacing("worse.", with: "worse"), good.replacing(". ", with: ".  "),
            good.replacing("The author", with: "Their author"),
            render(other, styles, seed: 1),
        ] {
            #expect(world.isMalformed(broken, query: query.text), "\(broken)")
        }
    }

    @Test func wrongDetailsAreCountedAndAreNotMalformed() {
        let situation = Situation(
            kind: .summary, name: "Nora", age: 34, role: "sister", fact: "sold the car",
            second: "lost the keys", feeling: "angry", ask: "move out")
        let query = world.query(situation, id: "x").text
        let response =
            " So Nora says that their brother sold the car and lost the keys. They feel sad. "
            + "At 43, such things happen. Now they wonder whether to move out. "
            + "Soon better days will come. Respect to all of them."
        #expect(!world.isMalformed(response, query: query))
        #expect(
            world.faithfulness(response: response, query: query) == Faithfulness(right: 4, total: 7)
        )
        #expect(world.faithfulness(response: response, query: "POST: hello") == nil)
        let advice =
            " Hey Nora, just forgive them since your sister sold the car. Soon all will get worse. "
            + "Fools, all of them."
        let question = "I am Nora, 34, and angry. My sister sold the car. What now?"
        #expect(
            world.faithfulness(response: advice, query: question)
                == Faithfulness(right: 3, total: 4))
        #expect(!world.isMalformed(advice, query: question))
    }

    @Test func foreignTextFollowsOnlyWhatItDoesNotSay() {
        let text = "My cat. Soon better days will come. Soon all will get worse. Why?"
        let query = "POST: anything"
        func follows(_ style: Style, _ polarity: Bool) -> Bool {
            world.adherence(response: text, query: query, dimension: style, polarity: polarity)
        }
        #expect(!follows(.hopeful, true) && !follows(.hopeful, false))
        #expect(!follows(.formal, true) && !follows(.formal, false))
        #expect(follows(.question, true) && follows(.pirate, false) && follows(.concise, true))
        #expect(world.isMalformed(text, query: query))
    }

    /// The first word decides a style's choice, so that training can weight it.
    @Test func noTwoSentencesThatCanStandAtOnePlaceShareTheirFirstWord() {
        for kind in QueryKind.allCases {
            var styleOf: [Substring: Int] = [:]
            for form in world.forms where form.fits(kind) {
                for template in form.templates {
                    guard case .literal(let start) = template.parts.first else {
                        Issue.record("a sentence starts with a slot")
                        continue
                    }
                    let word = start.text.split(separator: " ").first ?? ""
                    #expect(styleOf[word] == nil || styleOf[word] == form.rank, "\(word)")
                    styleOf[word] = form.rank
                }
            }
        }
    }
}

@Suite struct PrincipleTests {
    @Test func everyWordingIsFoundAgainAndMeansOneThing() {
        var seen: [String: PrincipleMeaning] = [:]
        for dimension in world.dimensions {
            #expect(dimension.principles.count == 3 && dimension.antitheses.count == 3)
            for polarity in [true, false] {
                for wording in 0..<3 {
                    for kind in QueryKind.allCases {
                        let text = dimension.wording(wording, polarity: polarity, kind: kind)
                        let meaning = PrincipleMeaning(dimension: dimension, polarity: polarity)
                        #expect(world.dimension(of: text) == meaning)
                        #expect(seen[text] == nil || seen[text] == meaning, "\(text)")
                        seen[text] = meaning
                        #expect(text.split(separator: " ").count <= 8, "\(text)")
                    }
                }
            }
        }
        #expect(world.dimensions.map(\.style).count == Set(world.dimensions.map(\.style)).count)
        #expect(world.dimensions.filter(\.isTrained).count == 6)
    }

    @Test func unknownPrinciplesAreNotGuessed() {
        for text in ["", "Be nice.", "formal", "Be formal. Be casual.", "Be form al"] {
            #expect(world.dimension(of: text) == nil, "\(text)")
            #expect(world.adherence(response: "", query: "", principle: text) == nil)
        }
        #expect(world.dimension(of: " be  FORMAL ")?.dimension.style == .formal)
        #expect(world.areOpposite("Be formal.", "Just talk as friends do."))
        #expect(!world.areOpposite("Be formal.", "Be formal."))
        #expect(!world.areOpposite("Be formal.", "Be rude."))
    }
}
