import Testing
import Tokenizers
import Worlds

@Suite struct PieceTests {
    /// A trainer weights tokens by their piece, so no token may cross from one piece to the next.
    @Test func piecesEncodedOneByOneGiveTheIdsOfTheWholeDocument() throws {
        let world = World.everyday
        let documents = (0..<2000).map { world.document(seed: 3, index: $0) }
        let tokenizer = try BytePairTrainer(vocabularySize: 900).train(documents.map(\.text))
        for document in documents {
            let pieces = document.pieces.flatMap { tokenizer.encode($0.text, special: false) }
            #expect(pieces == tokenizer.encode(document.text, special: false))
        }
    }

    /// The first token of a sentence makes its choice: no two sentences may start with one token.
    @Test func namesAgesAndFirstWordsAreSingleTokens() throws {
        let world = World.everyday
        let documents = (0..<6000).map { world.document(seed: 4, index: $0) }
        let tokenizer = try BytePairTrainer(vocabularySize: 1024).train(documents.map(\.text))
        for name in world.names {
            #expect(tokenizer.encode(" " + name, special: false).count == 1, "\(name)")
        }
        for age in world.ages {
            #expect(tokenizer.encode(" \(age)", special: false).count == 1, "\(age)")
        }
    }
}
