import Foundation
import Tensors
import Testing
import TextModels
import Tokenizers
import Transformers

@testable import Alignment

@Suite struct SampledTokenTests {
    @Test func `the sampled ids are kept beside the text`() throws {
        let babbler = try Babbler.words()
        let rollouts = try babbler.rollOut(RolloutTests.settings())
        #expect(!rollouts.groups.isEmpty)
        for response in rollouts.groups.flatMap(\.responses) {
            let sampled = try #require(response.sampled)
            #expect(sampled.count == response.sampledTokens)
            // Every byte is a token of its own here, so encoding again gives the same.
            #expect(babbler.tokenizer.decode(sampled) == " " + (response.text ?? ""))
            #expect(!response.isRetokenized)
        }
        #expect(rollouts.retokenized.count == 0)
        #expect(rollouts.retokenized.of == rollouts.groups.flatMap(\.responses).count)
    }

    @Test func `responses whose scored tokens differ from the sampled ones are counted`() throws {
        // The tokenizer has a token "ab"; this model writes it as two tokens.
        let tokenizer = try BytePairTrainer(vocabularySize: 260).train(
            Array(repeating: "abab ab", count: 20))
        #expect(tokenizer.encode("ab", special: false).count == 1)
        let letters: [(Character, Double)] = [("c", 1), ("d", 1), ("e", 1), ("a", 1)]
        let babbler = try Babbler(
            [
                ":": [(" ", 1)], " ": letters, "a": [("b", 1)], "b": letters + [(".", 2)],
                "c": letters + [(".", 2)], "d": letters + [(".", 2)], "e": letters + [(".", 2)],
                ".": [("$", 1)],
            ], tokenizer: tokenizer)
        let rollouts = try babbler.rollOut(RolloutTests.settings())
        let responses = rollouts.groups.flatMap(\.responses)
        let merged = responses.filter { $0.text?.contains("ab") == true }
        #expect(!merged.isEmpty && merged.count < responses.count)
        #expect(responses.allSatisfy { $0.isRetokenized == ($0.text?.contains("ab") == true) })
        #expect(rollouts.retokenized.count == merged.count)
    }

    @Test func `tokens of a stop string are no difference`() throws {
        let letters: [(Character, Double)] = "cdefgh".map { ($0, 1) }
        var table: [Character: [(Character, Double)]] = [
            ":": [(" ", 1)], " ": letters, "\n": [("\n", 1)],
        ]
        for (letter, _) in letters { table[letter] = letters + [("\n", 1)] }
        let rollouts = try Babbler(table).rollOut(RolloutTests.settings())
        let responses = rollouts.groups.flatMap(\.responses)
        #expect(!responses.isEmpty)
        for response in responses {
            #expect(response.sampledTokens == (response.text?.count ?? 0) + 3)
            #expect(!response.isRetokenized)
        }
    }

    @Test func `a judge gives each side its own tokenizer and prompts`() throws {
        // The second model has the words of the first one, under other ids and after another cue.
        let first = try Babbler.words()
        let second = try Babbler.words(cue: ">", tokenizer: first.tokenizer.rotated())
        #expect(
            second.tokenizer.encode("a", special: false)
                != first.tokenizer.encode("a", special: false))
        var prompts = Prompts.tiny
        prompts.post.cue = "Short>"
        let groups = try Composer(count: 1, principles: 1, polarity: .positive).compose(
            Babbler.queries, from: Babbler.pairs, key: RandomKey(seed: 2))
        let (pairs, _) = try PairSampler(RolloutTests.settings()).pairs(
            Babbler.queries, groups, first: .init(first.text()),
            second: .init(second.text(prompts)),
            key: RandomKey(seed: 3))
        #expect(pairs.count == 12)
        for pair in pairs {
            for response in [pair.first, pair.second] {
                let words = response.dropLast(response.hasSuffix(".") ? 1 : 0)
                #expect(!words.isEmpty && words.allSatisfy { "abcdefgh".contains($0) })
            }
        }
    }
}

extension Tokenizer {
    /// The same tokens under other ids.
    func rotated() throws -> Tokenizer {
        let parsed = try JSONSerialization.jsonObject(with: Data(json.utf8))
        var file = try #require(parsed as? [String: Any])
        var model = try #require(file["model"] as? [String: Any])
        let vocabulary = try #require(model["vocab"] as? [String: Int])
        let count = idLimit
        model["vocab"] = vocabulary.mapValues { ($0 + 7) % count }
        file["model"] = model
        file["added_tokens"] = try #require(file["added_tokens"] as? [[String: Any]]).map { token in
            var token = token
            token["id"] = (try #require(token["id"] as? Int) + 7) % count
            return token
        }
        let data = try JSONSerialization.data(withJSONObject: file)
        return try Tokenizer(json: String(decoding: data, as: UTF8.self))
    }
}
