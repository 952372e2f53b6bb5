import TestSupport
import Testing

@testable import Tokenizers

@Suite struct ByteLevelTests {
    let tokenizer: Tokenizer
    let oracle: OracleFixture

    init() throws {
        tokenizer = try Tokenizer(file: fixturePath("trained.json"))
        oracle = try OracleFixture.load("byte-level.json")
    }

    @Test func idsAndTextAreThoseOfTheTokenizersPackage() {
        for item in oracle.cases {
            #expect(tokenizer.encode(item.text) == item.ids, "\(item.text.debugDescription)")
            #expect(tokenizer.encode(item.text, special: false) == item.bare)
            #expect(sameBytes(tokenizer.decode(item.ids), item.decoded))
            #expect(sameBytes(tokenizer.decode(item.ids, skipSpecial: false), item.whole))
        }
    }

    @Test func brokenCharactersAndUnknownIdsDecodeAsInTheTokenizersPackage() {
        for item in oracle.decodings {
            #expect(sameBytes(tokenizer.decode(item.ids), item.decoded), "\(item.ids)")
        }
        #expect(tokenizer.decode([-1, Int32.max, Int32.min]).isEmpty)
    }

    @Test func trainingOnTheSameTextsGivesTheSameFile() throws {
        let trained = try BytePairTrainer(vocabularySize: oracle.size).train(oracle.texts)
        let expected = try Tokenizer(file: fixturePath("trained.json"))
        #expect(sameBytes(trained.json, expected.json))
        let reversed = try BytePairTrainer(vocabularySize: oracle.size)
            .train(oracle.texts.reversed())
        #expect(sameBytes(reversed.json, expected.json))
    }

    @Test func theVocabularyIsWhatTheFileSays() {
        #expect(tokenizer.vocabularySize == oracle.size)
        #expect(tokenizer.idLimit == oracle.size)
        #expect((tokenizer.id("<pad>"), tokenizer.bos, tokenizer.eos) == (0, 1, 2))
        #expect(tokenizer.isSpecial(2) && !tokenizer.isSpecial(3))
        for id in 0..<Int32(oracle.size) {
            #expect(tokenizer.token(id).flatMap { tokenizer.id($0) } == id)
        }
        #expect(tokenizer.token(Int32(oracle.size)) == nil && tokenizer.token(-1) == nil)
        #expect(tokenizer.id("no such token") == nil)
    }

    @Test func streamingGivesTheSameTextAndNoHalfCharacters() {
        for item in oracle.cases {
            var decoder = tokenizer.streamingDecoder()
            var parts = item.bare.map { decoder.append($0) }
            for part in parts where !item.text.unicodeScalars.contains("\u{FFFD}") {
                #expect(!part.unicodeScalars.contains("\u{FFFD}"))
            }
            parts.append(decoder.finish())
            #expect(sameBytes(parts.joined(), item.decoded), "\(item.text.debugDescription)")
        }
        for item in oracle.decodings {
            var decoder = tokenizer.streamingDecoder()
            let parts = item.ids.map { decoder.append($0) } + [decoder.finish()]
            #expect(sameBytes(parts.joined(), item.decoded), "\(item.ids)")
        }
    }

    @Test func severalThreadsAtOnceGetTheSameIds() async {
        let (tokenizer, cases) = (tokenizer, oracle.cases)
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 {
                group.addTask { cases.allSatisfy { tokenizer.encode($0.text) == $0.ids } }
            }
            for await isSame in group { #expect(isSame) }
        }
    }
}
