import Foundation
import LongWork
import TestSupport
import Testing
import Transformers

@testable import Ranks

/// Two ranks of this machine.
@Suite(
    .serialized,
    .enabled(if: BuiltPrograms.rank != nil, "there is no mpirun here, or no sami-rank in the build")
)
struct RankCrewTests {
    @Test(arguments: [RankPlan.Split.queries, .layers])
    func `weights on their way can be stopped, and the next work sends what lacks`(
        _ split: RankPlan.Split
    ) throws {
        setenv("SAMI_RANK", try #require(BuiltPrograms.rank), 1)
        var plan = RankPlan(count: 2, threads: 1)
        plan.split = split
        let crew = try RankCrew.start(plan)
        defer { crew.end() }
        // Embedding and head take more than one message.
        let model = try TinyModels.model(width: 64, vocabulary: 5000)
        var forest = TokenForest()
        let root = forest.append([1, 2, 3])
        forest.append([4000, 4999], parent: root)
        let targets = [Target(row: 2, token: 4000), Target(row: 3, token: 4999)]
        let work = [ScoredForest(forest, targets)]
        for limit in [0, 1, 2, 5] {
            var asked = 0
            #expect(throws: Canceled.self) {
                try crew.logProbs(of: work, model) { _ in
                    asked += 1
                    return asked > limit ? .stop : .more
                }
            }
            #expect(crew.sending == nil && crew.count == 2)
        }
        var reports: [RankSending] = []
        let found = try crew.logProbs(of: work, model) { _ in
            reports += crew.sending.map { [$0] } ?? []
            return .more
        }
        let alone = try model.logProbs(forest, targets)
        #expect(zip(found[0], alone).allSatisfy { abs($0 - $1) < 1e-6 }, "\(found) \(alone)")
        #expect(found[0].count == alone.count)
        let bytes = model.parameters.tensors.reduce(0) { $0 + 4 * $1.count }
        let total = try #require(reports.first?.total)
        #expect(total > 0 && total < bytes)
        #expect(reports.map(\.done) == reports.map(\.done).sorted())
        #expect(reports.allSatisfy { $0.total == total && $0.done < total })
        #expect(try crew.logProbs(of: work, model) { _ in .more } == found)
    }

    @Test func `messages are as long as the network takes a moment for`() {
        var length = PieceLength()
        for _ in 0..<20 { length.adapt(to: .milliseconds(20)) }
        #expect(length.bytes == 8 << 20)
        length.adapt(to: .milliseconds(200))
        #expect(length.bytes == 8 << 20)
        for _ in 0..<20 { length.adapt(to: .seconds(3)) }
        #expect(length.bytes == 64 << 10)
    }
}
