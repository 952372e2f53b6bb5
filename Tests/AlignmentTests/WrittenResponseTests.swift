import Tensors
import Testing
import TextModels
import Tokenizers
import Transformers

@testable import Alignment

@Suite struct WrittenResponseTests {
    private let queries = ["a", "b", "c"].map {
        Query(id: QueryID($0), form: .post, text: "P\($0)")
    }

    private func rollouts(_ lists: [[(String, String)]]) throws -> Rollouts {
        let groups = try Composer(count: 2).compose(
            queries, from: Babbler.pairs, key: RandomKey(seed: 3))
        return try Rollouts(
            written: lists.map { $0.map { WrittenResponse(query: QueryID($0.0), text: $0.1) } },
            queries: queries, constitutions: groups, prompts: .general)
    }

    @Test func `list i stands for constitution i, and what is not asked is passed over`() throws {
        let found = try rollouts([
            [("b", " b0 "), ("a", "a0"), ("z", "z0"), ("c", "c0")],
            [("a", "a1"), ("b", "b1"), ("c", "c1")],
        ])
        #expect(found.groups.map(\.id) == ["a", "b", "c"])
        #expect(
            found.groups.map { $0.responses.map(\.text) } == [
                ["a0", "a1"], ["b0", "b1"], ["c0", "c1"],
            ])
        #expect(found.groups.allSatisfy { $0.responses.map(\.constitution) == [0, 1] })
        #expect(found.groups.allSatisfy { $0.separator == Prompts.general.separator })
        #expect(found.rejected.isEmpty)
    }

    @Test func `queries without a response, with an empty one or with twins are counted`() throws {
        let found = try rollouts([
            [("a", "a0"), ("b", "same"), ("c", " ")], [("b", "same "), ("c", "c1")],
        ])
        #expect(found.groups.isEmpty)
        #expect(found.rejected.map(\.id) == ["a", "b", "c"])
        #expect(found.rejected.map(\.reason) == [.missing, .identical, .empty])
        #expect(found.rejected.map(\.constitution) == [1, 1, 0])
    }

    @Test func `several responses a query make several grids`() throws {
        let found = try rollouts([
            [("a", "a0"), ("a", "a0 again")], [("a", "a1"), ("a", "a1 again")],
        ])
        #expect(
            found.groups.first?.responses.map(\.text) == ["a0", "a1", "a0 again", "a1 again"])
    }

    @Test func `there is a list for each constitution`() {
        #expect(throws: AlignmentError.responseLists(found: 1, constitutions: 2)) {
            try rollouts([[("a", "a0")]])
        }
    }
}

@Suite struct JointTests {
    /// A tokenizer that merges "ab" and "ac".
    private func batch(_ prompt: String, _ separator: String, _ response: String) throws
        -> ContrastBatch
    {
        let texts = Array(repeating: "ab ab ac ac", count: 50)
        let tokenizer = try BytePairTrainer(vocabularySize: 270).train(texts)
        let babbler = try Babbler.words()
        var configuration = babbler.model.configuration
        configuration.vocabularySize = 270
        return try ContrastBatch(
            RolloutGroup(
                id: "q", prompts: [.text(prompt), .text(prompt)], separator: separator,
                responses: [
                    Response(content: .text(response), constitution: 0, sample: 0),
                    Response(content: .text("u"), constitution: 1, sample: 0),
                ]), tokenizer: tokenizer, configuration: configuration)
    }

    @Test func `a token that reaches over the separator is reported with both texts`() throws {
        #expect(try batch("u u", "", "b").boundaryToken == nil)
        let merged = try batch("u a", "", "b")
        #expect(merged.boundaryToken == .init(prompt: "u a", response: "b", isSplit: false))
        #expect(merged[0, 0].scored.count == 1)
        #expect(try batch("u a", " ", "b").boundaryToken == nil)
    }
}
