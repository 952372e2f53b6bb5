import Foundation
import TestSupport
import Testing

/// `ranks 4 split=layers` in the program: four processes with some layers each, through MPI.
@Suite(
    .serialized,
    .enabled(if: BuiltPrograms.rank != nil, "there is no mpirun here, or no sami-rank in the build")
)
struct LayerRanksTests {
    private static let tokenizer =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path + "/models/tiny"

    /// Rollouts of the shipped model, and models of twelve layers that score and train on them.
    private func run(_ ranks: String, _ model: String) throws -> (numbers: [Double], text: String) {
        let folder = try TemporaryFolder()
        let script = """
            load model default; load principles trained; load queries summaries count=6; compose;
            rollout max_tokens=120 seed=1;
            load tokenizer \(Self.tokenizer);
            model = new model layers=12 width=64 seed=5 initializer_range=0.12;
            base = new model layers=12 width=64 seed=6 initializer_range=0.12;
            \(model)
            \(ranks)
            score;
            contrast;
            loss.value
            backward beta=0.1;
            gradients.norm
            train steps=3 accumulate=3 beta=0.1 clip=0.5;
            score;
            contrast;
            loss.value
            generate "Write a summary:" max_tokens=12 seed=2
            generate "Write a summary:" max_tokens=12 seed=2 samples=6
            """
        try script.write(toFile: folder.path + "/a.sami", atomically: true, encoding: .utf8)
        let run = try Program.run(
            ["--ephemeral", "run", "a.sami"], variables: ["SAMI_THREADS": "1"], in: folder.path)
        #expect(run.code == 0, "\(run)")
        let lines = run.output.split(separator: "\n")
        return (
            lines.compactMap { Double($0) },
            String(
                run.output[
                    (run.output.range(of: "Write a summary:")?.lowerBound
                        ?? run.output.endIndex)...])
        )
    }

    @Test func `split belongs to a number of ranks`() throws {
        let folder = try TemporaryFolder()
        let run = try Program.run(["--ephemeral", "-c", "ranks split=layers"], in: folder.path)
        #expect(run.code != 0 && run.errors.contains("`split` needs a number of ranks"), "\(run)")
    }

    @Test(arguments: ["", "adapt rank=4 seed=7;"])
    func `four ranks with three layers each compute the values of one process`(
        _ model: String
    ) throws {
        let alone = try run("", model)
        let four = try run("ranks 4 threads=1 split=layers;", model)
        #expect(alone.numbers.count == 3 && four.numbers.count == 3)
        for (one, other) in zip(alone.numbers, four.numbers) {
            #expect(abs(one - other) < 1e-5 * abs(one), "\(alone.numbers) \(four.numbers)")
        }
        #expect(alone.text == four.text)
        #expect(alone.text.contains("[5]"))
    }

    @Test(.enabled(if: MemoryGroup.isAllowed, "control groups need root"))
    func `four ranks with some layers keep a limit on memory that ranks with all would break`()
        throws
    {
        let folder = try TemporaryFolder()
        let session = try JSONConversation(["--ephemeral"], in: folder.path)
        // 157 MB of weights.
        for statement in [
            "load model default", "load principles trained", "load queries summaries count=4",
            "compose", "rollout max_tokens=120 seed=1", "load tokenizer \(Self.tokenizer)",
            "model = new model layers=12 width=512 seed=5", "adapt rank=8 seed=7",
        ] {
            let answer = try session.answer(statement)
            #expect(answer["error"] == nil, "\(answer)")
        }
        /// Starts ranks, each in a group of its own.
        func limited(_ statement: String) throws -> [MemoryGroup] {
            let ranks = try #require(try session.answer(statement)["value"]?.elements)
            return try ranks.map { rank in
                let group = try #require(MemoryGroup(bytes: Self.limit))
                #expect(group.add(try #require(rank["process"]?.integer)))
                return group
            }
        }
        do {
            let groups = try limited("ranks 2 threads=1")
            let message = try session.answer("backward")["error"]?["message"]?.string ?? "no error"
            #expect(message.contains("killed by signal 9"), "\(message)")
            withExtendedLifetime(groups) {}
        }
        let groups = try limited("ranks 4 threads=1 split=layers")
        for statement in ["score", "backward", "train steps=2 accumulate=2"] {
            let answer = try session.answer(statement)
            #expect(answer["error"] == nil, "\(statement): \(answer)")
        }
        let peaks = try groups.map { try #require($0.peak) }
        #expect(peaks.allSatisfy { $0 < Self.limit * 9 / 10 }, "\(peaks)")
        _ = try session.answer("ranks 1")
    }

    /// Between what `backward` takes with all layers (0.46 GB) and with three (0.21 GB).
    private static let limit = 300 << 20
}
