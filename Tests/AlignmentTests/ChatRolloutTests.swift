import ChatTemplates
import Foundation
import Tensors
import Testing
import TextModels
import Tokenizers
import Transformers

@testable import Alignment

/// Rollouts through a chat template: the scored ids are the sampled ids.
@Suite struct ChatRolloutTests {
    /// Words over a–h after a colon; the tokenizer has tokens for "ab" and "hab", which the model
    /// never writes.
    static func text(opening: String = "") throws -> TextModel {
        let tokenizer = try BytePairTrainer(vocabularySize: 262).train(
            Array(repeating: "abab ab hab", count: 20))
        #expect(tokenizer.encode("ab", special: false).count == 1)
        let letters = "abcdefgh".map { ($0, 0.1) }
        var table: [Character: [(Character, Double)]] = [
            ":": letters, " ": letters, ".": [("$", 1)],
        ]
        for (letter, _) in letters { table[letter] = letters + [(".", 0.2)] }
        let babbler = try Babbler(table, tokenizer: tokenizer)
        let end = try #require(tokenizer.eos.flatMap { tokenizer.token($0) })
        var prompts = Prompts.chat
        prompts.post.responsePrefix = opening
        var text = babbler.text(prompts)
        text.chat = try ChatFormat(tokenizer) { messages, asksForAnswer in
            messages.map { message in
                message.role == "user" ? "[\(message.content)]:" : message.content + end
            }.joined()
        }
        return text
    }

    static func rollouts(_ text: TextModel) throws -> Rollouts {
        let groups = try Composer().compose(
            Babbler.queries, from: Babbler.pairs, key: RandomKey(seed: 5))
        return try RolloutSampler(RolloutTests.settings()).sample(
            Babbler.queries, groups, with: text, key: RandomKey(seed: 6))
    }

    static func batch(_ group: RolloutGroup, _ text: TextModel, end: Bool = false) throws
        -> ContrastBatch
    {
        try ContrastBatch(
            group, tokenizer: text.tokenizer, configuration: text.model.configuration,
            scoresEnd: end)
    }

    @Test(arguments: ["", "ha"]) func `the ids that were sampled are scored`(_ opening: String)
        throws
    {
        let text = try Self.text(opening: opening)
        let rollouts = try Self.rollouts(text)
        var merged = 0
        for group in rollouts.groups {
            let batch = try Self.batch(group, text)
            let whole = try Self.batch(group, text, end: true)
            for (column, response) in group.responses.enumerated() {
                for row in group.constitutions.indices {
                    guard case .text(let prompt) = group.prompts[row] else { continue }
                    let ids = text.tokenizer.encode(prompt, special: false)
                    let sampled =
                        text.tokenizer.encode(opening, special: false)
                        + (try #require(response.sampled))
                    #expect(batch[row, column].tokens == ids + sampled)
                    #expect(batch[row, column].scored == ids.count..<ids.count + sampled.count)
                    #expect(whole[row, column].tokens.last == text.tokenizer.eos)
                    #expect(whole[row, column].tokens.dropLast() == batch[row, column].tokens[...])
                }
                let words = try #require(response.text)
                #expect(words.hasPrefix(opening) && !response.isRetokenized)
                if text.tokenizer.encode(words, special: false) != response.scored { merged += 1 }
            }
        }
        // Encoding the texts would have given other ids for some.
        #expect(merged > 0 && rollouts.retokenized.count == 0)
    }

    @Test func `sampling and scoring agree on the log-probs`() throws {
        let text = try Self.text()
        let group = try #require(try Self.rollouts(text).groups.first)
        let scores = try Scorer(ScoreSettings(normalize: .sum)).score(
            [group], model: text.model, tokenizer: text.tokenizer)[0]
        for (column, response) in group.responses.enumerated() {
            let row = response.constitution
            guard case .text(let prompt) = group.prompts[row] else { continue }
            var forest = TokenForest()
            let ids = text.tokenizer.encode(prompt, special: false)
            let tokens = ids + (try #require(response.sampled))
            forest.append(tokens)
            let own = try text.model.logProbs(
                forest, (ids.count..<tokens.count).map { Target(row: $0 - 1, token: tokens[$0]) })
            let sum = own.reduce(0.0) { $0 + Double($1) }
            #expect(abs(sum - scores.scores[row, column]) < 1e-4)
        }
    }

    @Test func `a text in the place of a response is encoded as its own continuation`() throws {
        let text = try Self.text()
        var group = try #require(try Self.rollouts(text).groups.first)
        group.responses[0] = Response(content: .text("abba."), constitution: 0, sample: 0)
        let sequence = try Self.batch(group, text)[0, 0]
        #expect(
            Array(sequence.tokens[sequence.scored])
                == text.tokenizer.encode("abba.", special: false))
    }

    @Test func `ids of another vocabulary are not taken for this one's`() throws {
        let text = try Self.text()
        let group = try #require(try Self.rollouts(text).groups.first)
        let other = try text.tokenizer.rotated()
        let sequence = try ContrastBatch(
            group, tokenizer: other, configuration: text.model.configuration)[0, 0]
        #expect(
            other.decode(sequence.tokens[sequence.scored])
                == group.responses[0].text)
    }

    @Test func `lines of a file keep the joint`() throws {
        let text = try Self.text()
        let rollouts = try Self.rollouts(text)
        var lines = rollouts.lines
        let again = try Rollouts(lines: lines)
        for (one, other) in zip(rollouts.groups, again.groups) {
            #expect(other.chat == one.chat && other.prompts == one.prompts)
            let batches = try [one, other].map { try Self.batch($0, text, end: true) }
            for (first, second) in zip(batches[0].sequences, batches[1].sequences) {
                #expect(text.tokenizer.decode(first.tokens) == text.tokenizer.decode(second.tokens))
            }
        }
        lines[1].chat = nil
        #expect(throws: AlignmentError.rolloutLine(2, .otherJoint(first: 1))) {
            try Rollouts(lines: lines)
        }
    }

    @Test func `a judge asks both sides through their chat templates`() throws {
        let text = try Self.text()
        let groups = try Composer(count: 1, principles: 1, polarity: .positive).compose(
            Babbler.queries, from: Babbler.pairs, key: RandomKey(seed: 2))
        let (pairs, _) = try PairSampler(RolloutTests.settings()).pairs(
            Babbler.queries, groups, first: .init(text), second: .init(text),
            key: RandomKey(seed: 3))
        #expect(pairs.count == 12 && pairs.allSatisfy { $0.first == $0.second })
        let verdicts = try LikelihoodJudge(text, queries: Babbler.queries).judge(pairs)
        #expect(verdicts.count == 12)
        var without = text
        without.chat = nil
        #expect(throws: PromptError.noChatTemplate) {
            try LikelihoodJudge(without, queries: Babbler.queries).judge(pairs)
        }
    }

    @Test func `groups of older workspaces have plain joints`() throws {
        let group = RolloutGroup(
            id: "q", prompts: [.text("P")],
            responses: [
                Response(content: .text("a"), constitution: 0, sample: 0)
            ])
        let data = try JSONEncoder().encode(group)
        #expect(!String(decoding: data, as: UTF8.self).contains("chat"))
        #expect(try JSONDecoder().decode(RolloutGroup.self, from: data) == group)
    }
}
