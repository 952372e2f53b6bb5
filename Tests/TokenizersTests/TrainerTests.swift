import Testing

@testable import Tokenizers

@Suite struct TrainerTests {
    @Test func theMostFrequentPairMergesFirstAndOfEqualsTheSmallerIds() throws {
        let texts = ["ab ab ab", "cd cd", "ab"]
        let tokenizer = try BytePairTrainer(vocabularySize: 262).train(texts)
        // "ab" comes four times; "cd" and " ab" come twice, and c and d have the smaller ids.
        #expect(tokenizer.token(259) == "ab")
        #expect(tokenizer.token(260) == "cd")
        #expect(tokenizer.token(261) == "Ġab")
        #expect(tokenizer.encode("ab ab", special: false) == [259, 261])
    }

    @Test func fewerTokensComeOutWhenTheTextsHaveNoMorePairs() throws {
        let tokenizer = try BytePairTrainer(vocabularySize: 5000).train(["abc"])
        #expect(tokenizer.vocabularySize == 261)
    }

    @Test func withoutAPrefixTokenEncodingAddsNothing() throws {
        let tokenizer = try BytePairTrainer(
            vocabularySize: 300, specialTokens: ["<|endoftext|>"], prefixToken: nil
        ).train(["one two three"])
        #expect(tokenizer.encode("").isEmpty)
        #expect(tokenizer.eos == 0)
    }

    @Test func whatCannotBeTrainedIsSaid() {
        func message(_ trainer: BytePairTrainer, _ texts: [String] = ["a"]) -> String {
            do {
                _ = try trainer.train(texts) { _ in false }
                return ""
            } catch {
                return "\(error)"
            }
        }
        #expect(
            message(BytePairTrainer(vocabularySize: 100))
                == "a vocabulary of 100 tokens is too small: bytes and special tokens alone take 259"
        )
        #expect(
            message(BytePairTrainer(vocabularySize: 300), [])
                == "there is no text to train a tokenizer on")
        #expect(
            message(BytePairTrainer(vocabularySize: 300, specialTokens: ["x", "x"]))
                == "special token “x” is given twice")
        #expect(
            message(BytePairTrainer(vocabularySize: 300, prefixToken: "<q>"))
                == "the post-processor adds “<q>” but does not give its id")
        #expect(
            message(
                BytePairTrainer(vocabularySize: 300), Array(repeating: "text", count: 1000))
                == "the training of the tokenizer was stopped")
    }
}
