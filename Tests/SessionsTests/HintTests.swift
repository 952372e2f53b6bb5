import Foundation
import Testing

@testable import Commands
@testable import Sessions

/// A hint that does not work is worse than none: every correction after `try:` is run.
@Suite(.enabled(if: Workbench.hasShippedModel, "models/tiny is not here"))
struct HintTests {
    private static let setup = """
        load model default; load principles trained; load queries summaries count=2
        compose count=2 principles_each=2
        rollout; score; contrast
        x = [3, 1, 2]; t = tensor([[1, 2], [3, 4]]); notes = {"alpha": 1, "be ta": 2}
        lr = 0.001; split = "test"; mine = model
        """

    /// Faulty statements whose correction is known.
    private static let corrected = [
        "scroe", "contrst", "laod queries summaries", "genrate \"a\" max_tokens=2",
        "explian loss[0]", "rolout queries[0]", "describ model", "true && false", "true || false",
        "y = !true", "t ^ 2", "t <> 2", "1 < 2 < 3", "y = (1, 2)", "{alpha: 1}", "t.sum()",
        "x.sort()", "model.tensors[\"model.norm.weigh\"]", "notes[\"alhpa\"]", "notes.alhpa",
        "queries[0].post", "loss.vale", "queries[\"summaries-train-7\"]",
        "rollouts[0][0].respons = \"x\"", "score normalize=men", "score normalise=mean",
        "load queries summaries split=tset", "show quries", "quries", "sofmax(t)",
        "help contras", "rm mien", "compose cuont=2", "// a comment", "x = 3 // a comment",
        "load queries summaries, count=2", "sami> x", "\u{201C}text\u{201D}", "t \u{2212} 1",
        "if x[0] == 3: x",
    ]

    @Test func `every correction runs`() throws {
        let bench = try Workbench()
        try bench.output(HintTests.setup)
        var tried = 0
        for statement in HintTests.corrected {
            for outcome in bench.run(statement) {
                guard case .failure(let failure) = outcome.result else {
                    // `//` divides, so a comment after a value may be an expression.
                    continue
                }
                guard let correction = failure.diagnostic.corrected else { continue }
                tried += 1
                let again = bench.run(correction)
                for outcome in again {
                    if case .failure(let failure) = outcome.result {
                        Issue.record("\(statement)\n\(correction)\n\(failure.rendered())")
                    }
                }
                try bench.output(HintTests.setup)
            }
        }
        #expect(tried >= 30, "\(tried)")
    }

    /// Hints in words, with the statement that follows the advice.
    @Test(arguments: [
        ("len \"abc\"", "len(…)", "len(\"abc\")"),
        ("1 ? 2 : 3", "a if condition else b", "2 if 1 > 0 else 3"),
        ("t.median", "median(…)", "median(t)"),
        ("map(f, x)", "[f(x) for x in list]", "[str(v) for v in x]"),
        ("break", "[x for x in list if condition]", "[v for v in x if v > 1]"),
        ("if [true] { 1 }", "any(…)", "if any([true]) { 1 }"),
        ("y = f\"loss {x}\"", "+ str(0.5)", "y = \"loss \" + str(0.5)"),
        (
            "load queries summaries split=split", "split=(split)",
            "load queries summaries count=1 split=(split)"
        ),
        ("compare model base on=queries", "on=(queries)", "compare model base on=(queries)"),
        ("compare model base on=rollouts", "on=(rollouts)", "compare model base on=(rollouts)"),
        (
            "[r for r in rollouts if contains(r.response, \"a\")]", "any(…)",
            "[r for r in rollouts if any(contains(r.response, \"a\"))]"
        ),
        ("rollouts[0].response = \"x\"", "[0].response", "rollouts[0][0].response = \"x\""),
        ("update optimizer=lr", "optimizer", "backward; update optimizer=adamw"),
        ("plot log y=[loss]", "y=loss,kl", "train steps=1; plot log y=loss"),
        (
            "compose [{\"principles\": [\"a\"]}]", "antitheses",
            "compose [{\"principles\": [\"a\"], \"antitheses\": [\"b\"]}]"
        ),
    ])
    func `advice in words can be followed`(
        statement: String, advice: String, followed: String
    ) throws {
        let bench = try Workbench()
        try bench.output(HintTests.setup)
        if statement.hasPrefix("plot log") { try bench.output("train steps=1") }
        #expect(bench.complaint(statement).contains(advice), "\(bench.complaint(statement))")
        try bench.output(followed)
    }
}
