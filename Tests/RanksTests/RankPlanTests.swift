import TestSupport
import Testing
import Transformers

@testable import Ranks

struct RankPlanTests {
    @Test func `hosts are names with numbers`() {
        #expect(
            RankPlan.hosts("a:2,b") == [.init(name: "a", slots: 2), .init(name: "b", slots: 1)])
        #expect(
            RankPlan.hosts("# two hosts\nnode-1.lan slots=4\nnode-2.lan:3\n")
                == [.init(name: "node-1.lan", slots: 4), .init(name: "node-2.lan", slots: 3)])
    }

    @Test(arguments: [
        "", "a:", "a:0", "a:x", "a slots=", "a cores=2", "-x", "a;b", "a:99999", "$(reboot)", ":2",
    ])
    func `anything else is none`(text: String) { #expect(RankPlan.hosts(text) == nil) }

    @Test func `an allocation tells the number of ranks`() {
        #expect(RankPlan.allocated(["SLURM_NTASKS": "6"]) == 6)
        #expect(RankPlan.allocated(["SLURM_NTASKS": "0"]) == nil)
        #expect(RankPlan.allocated(["PBS_NODEFILE": "/nowhere"]) == nil)
        #expect(RankPlan.allocated([:]) == nil)
    }

    @Test func `the gateway stays here, and every host hears the settings`() {
        let plan = RankPlan(count: 3, hosts: RankPlan.hosts("a:1,b:2"), threads: 4, timeout: 60)
        let words = plan.arguments(program: "/bin/sami-rank", socket: "/t/s", isRoot: false)
        let contexts = words.split(separator: ":")
        #expect(contexts.count == 2)
        #expect(contexts[0].joined(separator: " ").contains("-host localhost:1 -n 1"))
        #expect(contexts[1].joined(separator: " ").contains("-host a:1,b:2 -n 3"))
        for context in contexts {
            #expect(context.contains("SAMI_RANK_THREADS=4"))
            #expect(context.contains("SAMI_RANK_TIMEOUT=60"))
            #expect(context.suffix(2) == ["/bin/sami-rank", "/t/s"])
        }
        #expect(!words.contains("--allow-run-as-root"))
        #expect(
            plan.arguments(program: "p", socket: "s", isRoot: true)
                .contains("--allow-run-as-root"))
    }

    @Test func `small gradients are summed together, each once and in its place`() throws {
        #expect(GradientBuckets([3, 4, 9, 1, 1], limit: 8).ranges == [0..<2, 2..<3, 3..<5])
        #expect(GradientBuckets([], limit: 8).ranges.isEmpty)
        let model = try TinyModels.model()
        for limit in [1, 50, 1 << 20] {
            var set = ParameterSet(zeros: model.parameters.layout)
            for index in set.tensors.indices { set.update(index) { $0[0] = Float(index) } }
            var (seen, places) = (0, 0)
            GradientBuckets(set.tensors.map(\.count), limit: limit).forEach(&set) {
                number, bucket in
                seen += bucket.count
                #expect(number == places)
                places += 1
                bucket.scale(by: 2)
            }
            #expect(seen == set.count)
            for (index, tensor) in set.tensors.enumerated() {
                #expect(tensor[0] == 2 * Float(index), "\(limit) \(index)")
            }
        }
    }

    @Test func `shares are contiguous, complete and balanced`() {
        for (sizes, ranks) in [
            ([Int](repeating: 3, count: 10), 4), ([100, 1, 1, 1], 2), ([5], 3), ([], 2),
            (Array(1...50), 7), ([0, 0, 0], 2),
        ] {
            let ranges = RankShares(sizes, ranks: ranks).ranges
            #expect(ranges.count == ranks)
            #expect(ranges.flatMap { Array($0) } == Array(sizes.indices))
            let loads = ranges.map { sizes[$0].reduce(0, +) }
            let fair = sizes.reduce(0, +) / ranks
            #expect((loads.max() ?? 0) <= fair + (sizes.max() ?? 0), "\(loads)")
        }
    }
}
