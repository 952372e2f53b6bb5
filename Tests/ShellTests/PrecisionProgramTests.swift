import Foundation
import TestSupport
import Testing

/// `set precision=` in the program, on a processor with products in bfloat16, for which the kernel
/// of every processor stands here, and on one without.
@Suite(.enabled(if: Program.path != nil, "the program `sami` was not built with the tests"))
struct PrecisionProgramTests {
    private func run(_ arguments: [String], _ bfloat16: String, in folder: String) throws -> String
    {
        let run = try Program.run(
            arguments, variables: ["SAMI_BFLOAT16": bfloat16], in: folder)
        #expect(run.code == 0, "\(run)")
        return run.output + run.errors
    }

    @Test func `a processor without bfloat16 says so and takes float32`() throws {
        let folder = try TemporaryFolder()
        let text = try run(
            ["--ephemeral", "-c", "load model default; set precision=bfloat16; describe model"],
            "off", in: folder.path)
        #expect(
            text.contains("this processor has no bfloat16 products, so float32 is used"), "\(text)")
        #expect(text.contains("computed in float32"))
    }

    @Test func `variables without a meaning are named`() throws {
        let folder = try TemporaryFolder()
        let run = try Program.run(
            ["--ephemeral", "-c", "6 * 7"],
            variables: ["SAMI_BFLOAT16": "yes", "SAMI_THREADS": "many"], in: folder.path)
        #expect(run.code == 0 && run.output.contains("42"))
        #expect(run.errors.contains("sami: SAMI_BFLOAT16 is “yes”, which is neither"))
        #expect(run.errors.contains("sami: SAMI_THREADS is “many”, which is no number from 1 to"))
    }

    /// A generation in bfloat16 rounds the float32 weights of the shipped model, two bytes each.
    @Test func `describe counts rounded weights`() throws {
        let folder = try TemporaryFolder()
        func memory(_ precision: String) throws -> String {
            let text = try run(
                [
                    "--ephemeral", "-c",
                    "load model default; set precision=\(precision); describe model",
                ], "portable", in: folder.path)
            return text.split(separator: "\n").first { $0.contains("generate, one answer") }
                .map(String.init) ?? text
        }
        #expect(try memory("float32").contains("144 MB"))
        #expect(try memory("bfloat16").contains("146 MB"))
    }

    /// The shipped model is stored in float32, so `auto` does not change it.
    @Test func `what describe says is what statements do`() throws {
        let folder = try TemporaryFolder()
        for (precision, type, words) in [
            ("auto", "", "float32"), ("bfloat16", "", "bfloat16"), ("float32", "", "float32"),
            ("auto", " dtype=bfloat16", "bfloat16"), ("auto", " dtype=q8_0", "bfloat16"),
        ] {
            let text = try run(
                [
                    "--ephemeral", "-c",
                    "load model default\(type); set precision=\(precision); describe model",
                ], "portable", in: folder.path)
            #expect(text.contains("computed in \(words)"), "\(precision)\(type): \(text)")
        }
    }

    /// The journal keeps the precision of each statement: a replay, which knows nothing of `set`,
    /// gives the same values.
    @Test func `scores differ by the rounding alone, and a replay gives them again`() throws {
        let folder = try TemporaryFolder()
        func prepare(_ name: String, _ precision: String) throws {
            let made = """
                load model default; load queries summaries count=3; propose; compose
                rollout max_tokens=80
                set precision=\(precision)
                score
                """
            _ = try run(["-w", name, "-c", made], "portable", in: folder.path)
        }
        func values(_ name: String) throws -> [Double] {
            let text = try run(
                [
                    "-w", name, "--read-only", "--json", "-c",
                    "[[l[i, j] for i in [0, 1] for j in [0, 1]] for l in logprobs]",
                ], "portable", in: folder.path)
            let value = try #require(text.firstMatch(of: /"value":(.*),"seconds"/)).1
            return value.matches(of: /-?[0-9]+\.[0-9]+/).compactMap { Double(value[$0.range]) }
        }
        try prepare("a.samiws", "float32")
        try prepare("b.samiws", "bfloat16")
        let (exact, found) = (try values("a.samiws"), try values("b.samiws"))
        #expect(exact.count == 12 && exact.count == found.count)
        #expect(exact != found)
        for (a, b) in zip(exact, found) { #expect(abs(a - b) < 2e-2) }
        let report = try run(["replay", "b.samiws", "--check"], "portable", in: folder.path)
        #expect(report.contains("7 values the same to the last bit"), "\(report)")
    }
}
