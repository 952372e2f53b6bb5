import LongWork
import Tensors
import Testing
import Tokenizers
import Transformers

@testable import TextModels

@Suite struct CompletionTests {
    // In this vocabulary 6 is " a", 7 is " b", 4 is "a", 5 is "b", 8 a newline, 2 ends a text.
    private let tokenizer: Tokenizer

    init() throws { tokenizer = try .sentencePiece() }

    private func complete(
        _ next: [Int32: Int32], after text: String, stops: [String] = [], tokens: Int = 8
    ) throws -> Completion {
        let model = try tableModel(next, tokenizer: tokenizer)
        let request = CompletionRequest(model.prompt(text), key: RandomKey(seed: 1))
        let sampling = Sampling(temperature: 0, maxTokens: tokens)
        return try #require(try model.complete([request], sampling, stops: stops).first)
    }

    @Test func `the blank before the first word of a SentencePiece continuation is kept`() throws {
        let found = try complete([6: 7, 7: 2], after: "a")
        #expect(found.text == " b")
        #expect(found.tokens == [7] && found.finish == .stop)
        // Decoded alone, the token would lose it.
        #expect(tokenizer.decode([7]) == "b")
    }

    @Test func `a special token at the end of the prompt does not hide the blank`() throws {
        let model = try tableModel([1: 7, 7: 2], tokenizer: tokenizer)
        let prompt = TextPrompt(text: "a<s>", tokens: [6, 1])
        let found = try model.complete(
            [CompletionRequest(prompt, key: RandomKey(seed: 1))], Sampling(temperature: 0))
        #expect(found.map(\.text) == [" b"])
    }

    @Test func `sampling ends with the token that completes a stop string`() throws {
        let found = try complete([6: 7, 7: 4, 4: 5, 5: 4], after: "a", stops: ["zz", "ba"])
        // " b", "a": the second token completes "ba".
        #expect(found.text == " " && found.tokens == [7, 4] && found.finish == .stop)
    }

    @Test func `a stop string that begins in the prompt ends nothing`() throws {
        let found = try complete([8: 8], after: "a\n", stops: ["\n\n"], tokens: 5)
        // The prompt's newline and the first sampled one are no stop string; the next two are.
        #expect(found.text.isEmpty && found.tokens == [8, 8] && found.finish == .stop)
    }

    @Test func `stop strings are found byte by byte`() throws {
        // Carriage return and newline are one character, which "\n\n" then does not begin with.
        let found = try complete([6: 9, 9: 8, 8: 8], after: "a", stops: ["\n\n"])
        #expect(found.text == "\r" && found.tokens == [9, 8, 8])
        #expect(StopStrings(["e"]).cut("cafe\u{301}").text == "caf")
    }

    @Test func `an earlier stop string wins, and without one the text is whole`() {
        let stops = StopStrings(["\n\n", "\nPOST:", ""])
        #expect(stops.cut("A b.\n\nPOST: x") == ("A b.", true))
        #expect(stops.cut("A b.\nPOST: x\n\n") == ("A b.", true))
        #expect(stops.cut("A b.") == ("A b.", false))
        #expect(stops.longest == 6)
    }

    @Test func `a limit and a stop by the caller say so`() throws {
        let found = try complete([6: 4, 4: 5, 5: 4], after: "a", tokens: 3)
        #expect(found.text == "aba" && found.finish == .length)
        #expect(found.logProbs.count == 3 && found.logProbs.allSatisfy { $0 < 0 })
        let model = try tableModel([6: 4, 4: 5, 5: 4], tokenizer: tokenizer)
        let requests = [CompletionRequest(model.prompt("a"), key: RandomKey(seed: 1))]
        let stopped = try model.complete(
            requests, Sampling(temperature: 0), progress: { $0.tokens == 2 ? .stop : .more })
        #expect(stopped.map(\.text) == ["ab"] && stopped[0].finish == .interrupted)
        #expect(try model.complete([], Sampling()).isEmpty)
    }

    @Test func `tokens of the text are told from those of the stop string`() throws {
        let model = try tableModel([6: 7, 7: 4, 4: 8, 8: 8], tokenizer: tokenizer)
        let prompt = model.prompt("a")
        let requests = [CompletionRequest(prompt, key: RandomKey(seed: 1))]
        let found = try model.complete(
            requests, Sampling(temperature: 0), stops: ["\n\n"])[0]
        #expect(found.text == " ba" && found.tokens == [7, 4, 8, 8])
        #expect(model.tokenCount(of: found, after: prompt) == 2)
    }
}
