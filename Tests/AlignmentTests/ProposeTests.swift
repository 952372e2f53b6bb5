import ChatTemplates
import LongWork
import Synchronization
import Tensors
import Testing
import TextModels
import Transformers

@testable import Alignment

/// Returns the given texts, one after another.
final class ScriptedWriter: TextEngine {
    private let texts: Mutex<[WrittenText]>
    private let asked = Mutex<[String]>([])

    init(_ texts: [WrittenText]) { self.texts = Mutex(texts) }
    convenience init(_ texts: [String]) { self.init(texts.map { WrittenText(text: $0) }) }

    var prompts: [String] { asked.withLock { $0 } }

    func write(
        _ requests: [TextRequest], _ sampling: Sampling, stops: [String],
        progress: (WorkProgress) -> Continuation
    ) -> [WrittenText] {
        asked.withLock { asked in
            guard let prompt = requests.first?.content else { return }
            switch prompt {
            case .text(let text): asked.append(text)
            case .messages(let messages): asked += messages.map(\.content)
            }
        }
        return texts.withLock { texts in
            let next = Array(texts.prefix(requests.count))
            texts.removeFirst(next.count)
            return next
        }
    }
}

@Suite struct ProposeTests {
    func propose(
        _ writer: ScriptedWriter, count: Int = 3, prompts: Prompts = .tiny,
        known: [PrinciplePair] = []
    ) throws -> Proposal {
        try Proposer(count: count, batch: 2, limit: 6).propose(
            about: "summaries", prompts: prompts, writer: writer, known: known,
            key: RandomKey(seed: 1))
    }

    @Test func `an instructed writer is asked as its template says, and begins as the prompt ends`()
        throws
    {
        let babbler = try Babbler.words()
        var text = babbler.text()
        // After a colon the model writes a word; after anything else all words are equally likely.
        text.chat = try ChatFormat(babbler.tokenizer) { messages, _ in
            messages.map { "<\($0.content)>" }.joined()
        }
        let written = try #require(
            try LoadedEngine(text).write(
                [
                    TextRequest(
                        .messages([
                            ChatMessage(role: "user", content: "Ask."),
                            ChatMessage(role: "assistant", content: "Answer:"),
                        ]), key: RandomKey(seed: 2).child(0))
                ], Sampling(topP: 0.95, maxTokens: 128), stops: []
            ) { _ in .more }.first)
        #expect(written.isFinished)
        #expect(written.text.hasPrefix(" ") && written.text.hasSuffix("."))
        #expect(written.text.dropFirst().dropLast().allSatisfy { "abcdefgh".contains($0) })
    }

    @Test func `pairs are read from what the shipped model writes`() throws {
        let writer = ScriptedWriter([
            "Principle: Use pirate words.\nAntithesis: Avoid pirate words.\n"
                + "Principle: Keep it short.\nAntithesis: Keep it long."
        ])
        let proposal = try propose(writer, count: 2)
        #expect(
            proposal.pairs == [
                PrinciplePair(
                    principle: "Use pirate words.", antithesis: "Avoid pirate words.", form: .post),
                PrinciplePair(
                    principle: "Keep it short.", antithesis: "Keep it long.", form: .post),
            ])
        #expect(proposal.rejected.isEmpty)
        #expect(proposal.samples == 1)
        #expect(writer.prompts == ["Principles for summaries:\n"])
    }

    @Test func `the end of the prompt begins the answer`() throws {
        let writer = ScriptedWriter([" Be kind to all.\nAntithesis: Be unkind to all."])
        let proposal = try propose(writer, count: 1, prompts: .general)
        #expect(proposal.pairs.map(\.principle) == ["Be kind to all."])
    }

    @Test func `everything that is no pair is rejected and counted`() throws {
        let writer = ScriptedWriter([
            "Nothing of use.",
            "Principle: Be kind.\nPrinciple: Be brave.\nAntithesis: Be a coward.",
            "Antithesis: Be loud.\nPrinciple: Be calm.",
            "Principle: Be calm.\nAntithesis: be CALM!\nPrinciple: Short\nAntithesis: Be long.",
            "Principle: BE BRAVE\nAntithesis: Be timid.\n"
                + "Principle: Be fair.\nAntithesis: Be a coward.",
        ])
        let proposal = try propose(writer, count: 9)
        #expect(proposal.pairs.map(\.principle) == ["Be brave."])
        let counts = proposal.counts.map { "\($0.reason) \($0.count)" }
        #expect(
            counts == [
                "noPairs 1", "unpaired 3", "malformed 1", "opposesItself 1", "duplicate 2",
            ])
        #expect(proposal.samples == 5)
    }

    @Test func `a sentence that was cut off is not taken for a principle`() throws {
        let writer = ScriptedWriter([
            WrittenText(
                text: "Principle: Be kind.\nAntithesis: Be unkind.\nPrinciple: Be as br",
                ending: .length),
            WrittenText(text: "Principle: Be fair.\nAntithesis: Be unf", ending: .length),
        ])
        let proposal = try propose(writer)
        #expect(proposal.pairs.map(\.principle) == ["Be kind."])
        #expect(proposal.counts.map(\.reason) == [.unfinished])
        #expect(
            proposal.rejected.map(\.text) == [
                "Principle: Be as br", "Be fair. / Antithesis: Be unf",
            ])
    }

    @Test func `numbers, bullets, emphasis and quotes do not matter`() {
        let text = """
            Here are the pairs:
            **1. Principle:** "Be kind."
            - Anti-Principle 1: *Be unkind.
            2) PRINCIPLE 2: Be brief, please
               Opposite: “Be lengthy, please”
            """
        let (pairs, rejected) = PrincipleParser().pairs(in: text)
        #expect(pairs.map(\.principle) == ["Be kind.", "Be brief, please"])
        #expect(pairs.map(\.antithesis) == ["Be unkind.", "Be lengthy, please"])
        #expect(rejected.isEmpty)
    }

    @Test func `known principles are not proposed again`() throws {
        let writer = ScriptedWriter(["Principle: Be unkind.\nAntithesis: Be kind."])
        let proposal = try propose(
            writer, known: [PrinciplePair(principle: "Be kind.", antithesis: "Be unkind.")])
        #expect(proposal.pairs.isEmpty)
        #expect(proposal.counts.map(\.reason) == [.duplicate])
    }

    @Test func `another wording of the same thing is a duplicate where the caller can tell`() throws
    {
        let writer = ScriptedWriter([
            "Principle: Be brief.\nAntithesis: Be lengthy.\n"
                + "Principle: Use many words.\nAntithesis: Use few words.\n"
                + "Principle: Be kind.\nAntithesis: Be unkind."
        ])
        let proposal = try Proposer(count: 3, batch: 2, limit: 4).propose(
            about: "summaries", prompts: .tiny, writer: writer,
            meaning: { $0.contains("kind") ? nil : "length" }, key: RandomKey(seed: 1))
        #expect(proposal.pairs.map(\.principle) == ["Be brief.", "Be kind."])
        #expect(proposal.counts.map(\.reason) == [.duplicate])
    }

    @Test func `a writer with nothing to say is asked so often and no more`() throws {
        let writer = ScriptedWriter(Array(repeating: "no", count: 100))
        let proposal = try propose(writer)
        #expect(proposal.samples == 6)
        #expect(throws: AlignmentError.proposeCount(0)) { try propose(writer, count: 0) }
    }

    @Test func `a stop keeps the pairs there are`() throws {
        let writer = ScriptedWriter(
            (0..<9).map { "Principle: Be number \($0).\nAntithesis: Do not be number \($0)." })
        let proposal = try Proposer(count: 9, batch: 2).propose(
            about: "emails", prompts: .tiny, writer: writer, key: RandomKey(seed: 1)
        ) { $0.done >= 4 ? .stop : .more }
        #expect(proposal.isStopped)
        #expect(proposal.pairs.count == 4)
        #expect(proposal.pairs.allSatisfy { $0.form == nil })
    }
}
