import Tensors
import Testing
import TextModels

@testable import Alignment

/// Which sentences of a writer are principles.
@Suite struct PrincipleSentenceTests {
    private func reasons(_ principle: String, _ antithesis: String) -> [PrincipleParser.Rejection] {
        PrincipleParser().pairs(in: "Principle: \(principle)\nAntithesis: \(antithesis)")
            .rejected.map(\.reason)
    }

    @Test(arguments: [
        ("Use short words.", "Use long words."),
        ("Do not name people.", "Name each person."),
        ("Please never shout.", "Please shout."),
        ("The summary should name a place.", "The summary should name no place."),
        ("Answers must be polite", "Answers must be rude"),
        ("Write a letter to New York City.", "Do not write a letter."),
        ("BE BRAVE", "BE TIMID"),
    ])
    func `instructions with their opposites are taken`(_ principle: String, _ antithesis: String) {
        #expect(reasons(principle, antithesis) == [])
    }

    @Test(arguments: [
        ("Clear And Concise Writing", "Do not be clear.", PrincipleParser.Rejection.title),
        ("Use Short Words Everywhere", "Use Long Words Everywhere", .title),
        ("Be kind to the", "Be rude to all.", .title),
        ("Use short words and", "Use long words and names.", .title),
        ("Brevity matters.", "Length matters.", .noInstruction),
        ("A clear summary.", "Avoid a clear summary.", .noInstruction),
        ("Use short words.", "It was a long day for words.", .noInstruction),
        ("Use short words.", "Thank everybody at the end.", .unrelated),
    ])
    func `the others are rejected for a reason`(
        _ principle: String, _ antithesis: String, _ reason: PrincipleParser.Rejection
    ) {
        #expect(reasons(principle, antithesis) == [reason])
    }

    @Test func `the wordings of the shipped world are principles`() throws {
        // Two of its opposites have no word in common; their meaning relates them.
        let (pairs, rejected) = PrincipleParser().pairs(
            in: "Principle: Expect better days.\nAntithesis: Fear that all gets worse.",
            meaning: { _ in "hope" })
        #expect(pairs.count == 1 && rejected.isEmpty)
        #expect(reasons("Expect better days.", "Fear that all gets worse.") == [.unrelated])
    }

    @Test func `the examples of a request are not proposed`() throws {
        let writer = ScriptedWriter([
            " Begin with a greeting.\nAntithesis: Begin without any greeting.\n"
                + "Principle: Be brief.\nAntithesis: Be long."
        ])
        let proposal = try Proposer(count: 2, batch: 1, limit: 1).propose(
            about: "summaries", prompts: .chat, writer: writer, key: RandomKey(seed: 1))
        #expect(proposal.pairs.map(\.principle) == ["Be brief."])
        #expect(proposal.counts.map(\.reason) == [.example])
    }
}
