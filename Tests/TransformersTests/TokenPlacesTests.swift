import Foundation
import LongWork
import TestSupport
import Testing

@testable import Transformers

@Suite struct TokenPlacesTests {
    /// Each place against the logits of its sequence alone.
    @Test(arguments: ModelOracle.families)
    func `places are the log-softmax of the logits, also with common beginnings`(
        family: String
    ) throws {
        let oracle = try ModelOracle(family)
        let (model, one, two) = (oracle.model, oracle.prompts[0], oracle.prompts[1])
        // The third begins as the first; the fourth is a beginning of it.
        let sequences = [one, two, one + two.prefix(3), Array(one.prefix(2)), [one[0]]]
        for rows in [1, 2048] {
            let places = try model.places(sequences, likeliest: 3, rows: rows)
            #expect(places.map(\.count) == sequences.map { $0.count - 1 })
            for (sequence, found) in zip(sequences, places) where sequence.count > 1 {
                let logits = try model.logits(sequence, rows: Array(sequence.indices))
                let columns = logits.columns
                for (place, token) in found.enumerated() {
                    #expect(token.token == sequence[place + 1])
                    let row = logits.values[place * columns..<(place + 1) * columns].map(
                        Double.init)
                    let sum = log(row.reduce(0) { $0 + exp($1) })
                    expectClose(
                        [Double(token.logProb)], [row[Int(token.token)] - sum], within: 1e-4,
                        scale: 1, "log-prob")
                    let best = row.sorted(by: >).prefix(3).map { $0 - sum }
                    expectClose(
                        token.likeliest.map { Double($0.logProb) }, best, within: 1e-4, scale: 1,
                        "likeliest")
                    #expect(
                        row[Int(token.likeliest[0].token)] - sum >= Double(best[0]) - 1e-4)
                }
            }
        }
        #expect(try model.places([one], likeliest: 0)[0].allSatisfy { $0.likeliest.isEmpty })
        #expect(throws: ModelError.self) { try model.places([[]], likeliest: 1) }
        #expect(throws: ModelError.self) {
            try model.places([[Int32(model.configuration.vocabularySize)]], likeliest: 1)
        }
        #expect(throws: Canceled.self) {
            try model.places([one], likeliest: 1) { _ in .stop }
        }
    }
}
