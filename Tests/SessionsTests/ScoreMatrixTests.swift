import Foundation
import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import Values

/// S of one query: a tensor that knows its query.
@Suite struct ScoreMatrixTests {
    private static let score = """
        load model default; load principles trained; load queries summaries count=2
        compose count=2 principles_each=2
        rollout; score;
        """

    @Test func `it shows its query and unit, and computes as a tensor does`() throws {
        let bench = try Workbench(access: .readWrite)
        try bench.output(ScoreMatrixTests.score)
        let shown = try bench.output("logprobs[0]").text.plain
        #expect(shown.hasPrefix("S of summaries-train-0, nats a token\n"))
        #expect(shown.contains("c1") && shown.contains("y1"))
        #expect(try bench.text("logprobs[0].query") == "summaries-train-0")
        #expect(try bench.text("logprobs[0].shape") == "[2, 2]")
        for (one, other) in [
            ("logprobs[0][1, 0]", "tensor(logprobs)[0, 1, 0]"),
            ("logprobs[1][-1]", "tensor(logprobs)[1, -1]"),
            ("logprobs[\"summaries-train-1\"][:, 1]", "tensor(logprobs)[1, :, 1]"),
            ("logprobs[0][logprobs[0] < 0]", "reshape(tensor(logprobs)[0], [4])"),
            ("logprobs[0].T * 2 + 1", "transpose(tensor(logprobs)[0]) * 2 + 1"),
            ("softmax(logprobs[0])", "softmax(tensor(logprobs)[0])"),
            ("logprobs[0].mean", "mean(tensor(logprobs)[0])"),
            ("len(logprobs[0])", "2"),
        ] {
            #expect(try bench.text("all((\(one)) == (\(other)))") == "true", "\(one)")
        }
    }

    @Test func `it keeps its query in the loss, in files, and over a restart`() throws {
        let bench = try Workbench(access: .readWrite)
        try bench.output(ScoreMatrixTests.score)
        try bench.output("s = logprobs[1]; loss = contrast s")
        #expect(try bench.text("loss[0].query") == "summaries-train-1")
        try bench.output("plain = contrast (tensor(s))")
        #expect(try bench.text("plain.ids") == "[\"0\"]")
        try bench.output("export s s.npy; load tensor s.npy; all(s == tensor)")
        try bench.output("plot s s.svg")
        let svg = String(decoding: try bench.read("s.svg"), as: UTF8.self)
        #expect(svg.contains(">constitution</text>"))
        let before = try bench.text("s")
        bench.session.close()
        let again = try bench.reopened()
        defer { again.close() }
        let outcome = try #require(again.outcomes(of: "s").last)
        #expect(try outcome.result.get().text.plain == before)
    }
}
