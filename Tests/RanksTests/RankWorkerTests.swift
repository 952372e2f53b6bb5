import Alignment
import Foundation
import LongWork
import Tensors
import TestSupport
import Testing
import Transformers

@testable import Ranks

/// A link of one rank in this process, which keeps the messages.
private final class LoneLink: RankLink {
    let rank = 1
    let count = 1
    var sent: [RankMessage] = []
    var isCanceled = false

    func send(_ message: RankMessage) { sent.append(message) }
    func watch(_ progress: () -> RankMessage?) -> Continuation { isCanceled ? .stop : .more }
    func agree(_ isWell: Bool) -> Bool { isWell }
    func sum(_ tensor: inout Tensor) {}
}

struct RankWorkerTests {
    private let link = LoneLink()

    private func worker() -> RankWorker { RankWorker(link, free: MemoryPlan.availableBytes) }

    private func failure(_ message: RankMessage) throws -> String {
        try worker().receive(message)
        let answer = try #require(link.sent.last)
        #expect(answer.kind == .failure)
        return try answer.content(String.self)
    }

    @Test func `bytes that do not fit their shape are refused in words`() throws {
        for (shape, format, count) in [
            ([2, 3], "F32", 23), ([-1], "F32", 0), ([Int.max, 2], "F32", 8), ([2], "F13", 8),
            ([31], "Q8_0", 34),
        ] {
            let piece = SentPiece(
                thing: .tensor(number: 1, shape: shape, format: format), total: count)
            let text = try failure(
                RankMessage(.piece, rank: -1, piece, payload: Data(count: count)))
            #expect(text.contains("tensor of shape") || text.contains("a shape of"), "\(text)")
        }
    }

    @Test func `pieces that do not follow each other are refused in words`() throws {
        let thing = SentPiece.Thing.tokenizer(number: 0)
        for (offset, total, count) in [(1, 2, 1), (0, 1, 2), (0, -1, 0), (-1, 4, 4), (0, .min, 1)] {
            let piece = SentPiece(thing: thing, offset: offset, total: total)
            let text = try failure(
                RankMessage(.piece, rank: -1, piece, payload: Data(count: count)))
            #expect(text.contains("a piece at byte \(offset) of \(total)"), "\(text)")
        }
        var arriving = ArrivingBytes()
        let half = SentPiece(thing: thing, total: 4)
        #expect(try arriving.add(half, Data([1, 2])) == nil)
        #expect(throws: RankError.self) {
            try arriving.add(SentPiece(thing: thing, offset: 3, total: 4), Data([4]))
        }
        #expect(try arriving.add(half, Data([1, 2])) == nil)
        let rest = SentPiece(thing: thing, offset: 2, total: 4)
        #expect(try arriving.add(rest, Data([3, 4])) == [Data([1, 2]), Data([3, 4])])
    }

    @Test func `a task without its tensors is refused in words`() throws {
        let model = try TinyModels.model()
        let sent = SentModel(model, tensors: Array(model.parameters.tensors.indices))
        let task = RankTask(work: .score(.init(model: sent, forests: [])))
        #expect(try failure(RankMessage(.task, rank: 1, task)).contains("which was not sent"))
    }

    @Test func `a rank computes the scores of its model`() throws {
        let model = try TinyModels.model()
        let worker = worker()
        for (number, tensor) in model.parameters.tensors.enumerated() {
            let bytes = tensor.withUnsafeBytes { Data($0) }
            var piece = SentPiece(
                thing: .tensor(
                    number: number, shape: tensor.shape, format: tensor.format.name),
                total: bytes.count)
            // Two pieces, after one of a sending that was stopped.
            for range in [0..<3, 0..<7, 7..<bytes.count] {
                piece.offset = range.lowerBound
                try worker.receive(RankMessage(.piece, rank: -1, piece, payload: bytes[range]))
            }
        }
        var forest = TokenForest()
        let root = forest.append([1, 2, 3])
        forest.append([4, 5], parent: root)
        forest.append([6], parent: root)
        let targets = [
            Target(row: 2, token: 4), Target(row: 3, token: 5), Target(row: 2, token: 6),
        ]
        let sent = SentModel(model, tensors: Array(model.parameters.tensors.indices))
        let task = RankTask(
            work: .score(
                .init(model: sent, forests: [SentForest(ScoredForest(forest, targets))])))
        try worker.receive(RankMessage(.task, rank: 1, task))
        let answer = try #require(link.sent.last)
        guard case .scored(let found) = try answer.content(RankAnswer.self).reply else {
            Issue.record("another reply")
            return
        }
        #expect(found.map(\.numbers) == [try model.logProbs(forest, targets)])
        link.isCanceled = true
        try worker.receive(RankMessage(.task, rank: 1, task))
        let stopped = try #require(link.sent.last).content(RankAnswer.self).reply
        guard case .canceled = stopped else {
            Issue.record("it went on: \(stopped)")
            return
        }
    }

    @Test func `a changed tensor is another one, and a released one is forgotten`() {
        var held = HeldTensors()
        var tensor = Tensor(zeros: [4])
        let first = held.add(tensor)
        #expect(held.number(of: tensor) == first)
        tensor[0] = 1
        #expect(held.number(of: tensor) == nil)
        let second = held.add(tensor)
        #expect(second != first && held.number(of: tensor) == second)
        #expect(held.takeForgotten() == [first])
        do {
            let short = Tensor(zeros: [2])
            let third = held.add(short)
            #expect(held.number(of: short) == third)
        }
        #expect(held.takeForgotten().count == 1)
        #expect(held.takeForgotten().isEmpty)
        // A copy that is written leaves the original.
        var copy = tensor
        copy[1] = 2
        #expect(held.number(of: tensor) == second && held.number(of: copy) == nil)
    }

    @Test func `a reply that is none to the task is an error, not a result`() throws {
        let canceled = RankReply.canceled
        #expect(throws: Canceled.self) { try GradientSums(canceled) }
        for reply in [nil, RankReply.updated, .scored([]), .mapped([1])] {
            #expect(throws: RankError.badMessage("another reply than gradients")) {
                try GradientSums(reply)
            }
        }
        let shares = RankShares([1, 1], ranks: 2)
        #expect(throws: RankError.badMessage("another reply than was asked for")) {
            try shares.joined([1: .updated, 2: .updated]) { _, _ in nil as [Int]? }
        }
    }

    @Test func `logits that are not finite are told by the number among all requests`() throws {
        #expect(throws: ModelError.logitsNotFinite(request: 41)) {
            try RankReply.notFinite(request: 9).generations(32..<64)
        }
        #expect(try RankReply.notFinite(request: 32).generations(32..<64) == nil)
        #expect(try RankReply.generated([]).generations(0..<1) == nil)
    }
}
