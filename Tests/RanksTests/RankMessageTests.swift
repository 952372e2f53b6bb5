import Foundation
import Testing

@testable import Ranks

struct RankMessageTests {
    @Test func `a head is read as it was written`() throws {
        var message = try RankMessage(.progress, rank: 7, RankProgress(finished: 3, tokens: 9))
        message.payload = Data([1, 2, 3])
        message.after = 12
        let head = try RankMessageHead(RankMessageHead(message).bytes)
        #expect(head == RankMessageHead(message))
        #expect(head.kind == .progress && head.rank == 7 && head.after == 12)
        #expect(head.payloadLength == 3)
        #expect(try message.content(RankProgress.self) == RankProgress(finished: 3, tokens: 9))
    }

    @Test func `other bytes are refused`() throws {
        let good = RankMessageHead(RankMessage(.quit, rank: RankMessage.all)).bytes
        #expect(throws: RankError.self) { try RankMessageHead(Array(good.dropLast())) }
        for place in [0, 4, 23, 31] {
            var bad = good
            bad[place] = 0xFF
            #expect(throws: RankError.self, "byte \(place)") { try RankMessageHead(bad) }
        }
        let message = RankMessage(.task, rank: 1, body: Data("no property list".utf8))
        #expect(throws: RankError.self) { try message.content(RankTask.self) }
    }

    @Test func `messages cross a socket whole, and a closed one is noticed`() throws {
        let path = NSTemporaryDirectory() + "sami-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let listener = try LocalSocket.listening(at: path)
        var one: LocalSocket? = try LocalSocket.connecting(to: path)
        let other = try #require(try listener.accepted(within: 1000))
        let message = try RankMessage(
            .piece, rank: RankMessage.all, SentPiece(thing: .tokenizer(number: 1), total: 8),
            payload: Data(repeating: 7, count: 8))
        try one?.write(message)
        let received = try other.read()
        #expect(received.body == message.body && received.payload == message.payload)
        one = nil
        #expect(throws: RankError.gone) { try other.read() }
    }

    @Test func `a path that is too long is an error`() {
        #expect(throws: RankError.self) {
            try LocalSocket.listening(at: "/tmp/" + String(repeating: "x", count: 200))
        }
    }
}
