import Tensors
import Testing
import TextModels

@testable import Alignment

@Suite struct ComposeTests {
    static let pairs = (0..<5).map {
        PrinciplePair(principle: "Do thing \($0).", antithesis: "Avoid thing \($0).")
    }
    static let queries = (0..<40).map { Query(id: "q\($0)", form: .post, text: "Post \($0).") }
    static let key = RandomKey(seed: 3)

    @Test(arguments: PolarityRule.allCases)
    func `constitutions of a query are distinct, up to all 2ⁿ of them`(rule: PolarityRule) throws {
        for n in 1...4 {
            for count in 1...(1 << n) {
                let composer = Composer(count: count, principles: n, polarity: rule)
                for group in try composer.compose(
                    Array(Self.queries.prefix(6)), from: Self.pairs, key: Self.key)
                {
                    let contents = Set(group.constitutions.map { Set($0.slots) })
                    #expect(contents.count == count, "\(count) of \(n) principles, \(rule)")
                    #expect(group.constitutions.allSatisfy { $0.slots.count == n })
                }
            }
        }
    }

    @Test func `more constitutions than there are is said`() {
        #expect(
            throws: AlignmentError.constitutionCount(asked: 5, distinct: 4, principles: 2)
        ) {
            try Composer(count: 5, principles: 2).compose(
                Self.queries, from: Self.pairs, key: Self.key)
        }
        let written = (try? Constitution.pair(positive: "1. A b.", negative: "1. C d.")) ?? []
        #expect(
            throws: AlignmentError.constitutionCount(asked: 3, distinct: 2, principles: nil)
        ) {
            try Composer(count: 3).compose(
                Self.queries, from: [.written(written)], key: Self.key)
        }
    }

    @Test func `counts a person may type by mistake end in a sentence`() {
        for count in [-1, 0, 1_000_000_000, Int.max] {
            #expect(throws: AlignmentError.self) {
                try Composer(count: count).compose(Self.queries, from: Self.pairs, key: Self.key)
            }
        }
        for principles in [-1, 0, 6, Int.max] {
            #expect(
                throws: AlignmentError.principleCount(asked: principles, available: 5)
            ) {
                try Composer(principles: principles).compose(
                    Self.queries, from: Self.pairs, key: Self.key)
            }
        }
    }

    @Test func `opposites differ in every slot, and both signs occur first`() throws {
        let groups = try Composer(count: 2, principles: 2, polarity: .opposites).compose(
            Self.queries, from: Self.pairs, key: Self.key)
        var firsts = Set<[Polarity]>()
        for group in groups {
            let texts = group.constitutions.map { Set($0.slots.map(\.text)) }
            let opposed = Set(group.constitutions[0].slots.compactMap(\.opposite))
            #expect(texts[1] == opposed)
            firsts.insert(group.constitutions[0].slots.map(\.polarity))
        }
        #expect(firsts.count == 4)
    }

    @Test func `under the paper's rule the first constitution holds every principle`() throws {
        let groups = try Composer(count: 3, polarity: .positive).compose(
            Self.queries, from: Self.pairs, key: Self.key)
        for group in groups {
            #expect(group.constitutions[0].slots.allSatisfy { $0.polarity == .principle })
            for other in group.constitutions.dropFirst() {
                #expect(other.slots.contains { $0.polarity == .antithesis })
            }
        }
    }

    @Test func `training shuffles anew, and shuffle=false keeps the order given`() throws {
        let groups = try Composer(count: 2).compose(
            Self.queries, from: Self.pairs, key: Self.key)
        #expect(
            groups.allSatisfy { group in
                zip(group.constitutions, group.training).allSatisfy {
                    Set($0.slots) == Set($1.slots)
                }
            })
        #expect(groups.contains { $0.constitutions != $0.training })

        let still = try Composer(count: 2, principles: 3, shuffle: false).compose(
            Self.queries, from: Self.pairs, key: Self.key)
        for group in still {
            #expect(group.constitutions == group.training)
            for constitution in group.constitutions {
                let numbers = constitution.slots.compactMap { slot in
                    slot.text.compactMap(\.wholeNumberValue).first
                }
                #expect(numbers == numbers.sorted())
            }
        }
    }

    @Test func `what a query gets depends on its place and the key alone`() throws {
        let composer = Composer(count: 4, principles: 2)
        let all = try composer.compose(Self.queries, from: Self.pairs, key: Self.key)
        let few = try composer.compose(
            Array(Self.queries.prefix(7)), from: Self.pairs, key: Self.key)
        #expect(Array(all.prefix(7)) == few)
        let other = try composer.compose(
            Self.queries, from: Self.pairs, key: RandomKey(seed: 4))
        #expect(other != all)
    }

    @Test func `a principle about summaries is not put to a question`() throws {
        var pairs = Self.pairs
        pairs[0].form = .question
        let groups = try Composer(count: 2).compose(Self.queries, from: pairs, key: Self.key)
        #expect(groups.allSatisfy { $0.constitutions[0].slots.count == 4 })
        let questions = [Query(id: "a", form: .question, text: "Why?")]
        #expect(throws: AlignmentError.noPrinciples(form: .question)) {
            try Composer().compose(
                questions,
                from: pairs.dropFirst().map {
                    PrinciplePair(
                        principle: $0.principle, antithesis: $0.antithesis, form: .post)
                }, key: Self.key)
        }
    }

    @Test func `a pair that opposes itself is refused`() {
        #expect(throws: AlignmentError.principleOpposesItself("Be brief.")) {
            try PrinciplePair.pairs(principles: ["Be brief."], antitheses: ["be  BRIEF"])
        }
        #expect(throws: AlignmentError.principleOpposesItself("Be brief.")) {
            try Composer().compose(
                Self.queries,
                from: [PrinciplePair(principle: "Be brief.", antithesis: "Be brief!")],
                key: Self.key)
        }
        #expect(throws: AlignmentError.constitutionLengths(positive: 2, negative: 1)) {
            try PrinciplePair.pairs(principles: ["A b.", "C d."], antitheses: ["E f."])
        }
    }

    @Test func `many principles still give distinct constitutions`() throws {
        let pairs = (0..<40).map {
            PrinciplePair(principle: "Do \($0).", antithesis: "Avoid \($0).")
        }
        let groups = try Composer(count: 64).compose(
            Array(Self.queries.prefix(2)), from: pairs, key: Self.key)
        #expect(Set(groups[0].constitutions.map { Set($0.slots) }).count == 64)
    }
}

@Suite struct ConstitutionTests {
    @Test func `a constitution prints as a numbered list and reads back`() throws {
        let constitution = Constitution(
            slots: ["Be brief.", "Cite 2. sources."].map { Slot(text: $0, polarity: .principle) })
        #expect(constitution.text == "1. Be brief.\n2. Cite 2. sources.")
        #expect(
            try Constitution.sentences(of: constitution.text) == ["Be brief.", "Cite 2. sources."])
    }

    @Test func `lists in the wild are read`() throws {
        #expect(
            try Constitution.sentences(
                of: "1. Be brief, avoiding details. \r\n2) Be kind\n   to all.")
                == ["Be brief, avoiding details.", "Be kind to all."])
        #expect(try Constitution.sentences(of: "1. Weigh\n1.5 kg.") == ["Weigh 1.5 kg."])
        for bad in ["", "\n", "Be brief.", "1. \n2. Be kind."] {
            #expect(throws: AlignmentError.self) { try Constitution.sentences(of: bad) }
        }
    }

    @Test func `a written pair knows which sentences oppose each other`() throws {
        let pair = try Constitution.pair(
            positive: "1. Be brief.\n2. Be thorough.", negative: "1. Be lengthy.\n2. Be thorough.")
        #expect(pair[0].slots[0].opposite == "Be lengthy.")
        #expect(pair[1].slots[0].polarity == .antithesis)
        #expect(pair[0].slots[1].opposite == nil)
        #expect(pair[0].antithesis?.text == pair[1].text)
        #expect(pair[1].antithesis == pair[0])
        #expect(throws: AlignmentError.constitutionsEqual) {
            try Constitution.pair(positive: "1. A b.", negative: "1. A b.")
        }
        #expect(throws: AlignmentError.constitutionLengths(positive: 1, negative: 2)) {
            try Constitution.pair(positive: "1. A b.", negative: "1. A b.\n2. C d.")
        }
    }

    @Test func `a query record has one text`() throws {
        #expect(try Query(id: "3", fields: ["post": "Hi."]).form == .post)
        #expect(try Query(id: "3", fields: ["text": "Hi.", "title": "x"]).form == .text)
        #expect(throws: AlignmentError.queryFields(query: "3", given: ["body"])) {
            try Query(id: "3", fields: ["body": "Hi."])
        }
        #expect(throws: AlignmentError.queryFields(query: "3", given: ["post", "text"])) {
            try Query(id: "3", fields: ["post": "Hi.", "text": "Ho."])
        }
        #expect(throws: AlignmentError.emptyQuery(query: "3")) {
            try Query(id: "3", fields: ["post": " \n"])
        }
    }
}
