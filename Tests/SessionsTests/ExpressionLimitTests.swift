import TestSupport
import Testing

/// Expressions that would take all memory or end the process, and numbers that are not finite.
@Suite struct ExpressionLimitTests {
    @Test(arguments: [
        ("range(-1e20)", "[]"), ("range(0, -1e300, 1e-300)", "[]"), ("len(range(2))", "2"),
        ("sum((histogram([1e17])).counts)", "1"),
        ("sum((histogram([1e300, 1e300])).counts)", "2"),
        ("count_by([inf, nan, -inf, null, inf]).count", "[2, 1, 1, 1]"),
        ("len(unique([nan, inf, null, -inf, 1, nan]))", "5"),
        ("median([1, inf, -inf])", "1"),
        ("x = sort(tensor([3, nan, 1])); 10 * x[0] + x[1]", "13"),
        ("x = sort(tensor([3, nan, 1]), reverse=true); 10 * x[0] + x[1]", "31"),
        (
            "round(reading_grade(\"The whole file while the rule made me smile.\"), decimals=2)",
            "-0.28"
        ),
        ("round(reading_grade(\"I walked, talked and looked.\"), decimals=2)", "-1.84"),
        ("len(replace(\"aaa\", \"a\", \"bb\"))", "6"),
    ])
    func `extreme values give a result`(source: String, result: String) throws {
        #expect(try Workbench().text(source) == result)
    }

    @Test(arguments: [
        ("x = \"0123456789\"\nfor i in range(40) { x = x + x }", "text of more than 256 MB"),
        ("x = range(1000)\nfor i in range(40) { x = x + x }", "list"),
        ("x = join([\"a\" for i in range(100000)])\ny = replace(x, \"a\", x)", "more than 256 MB"),
        ("i = [0 for k in range(100000)]\nx = zeros(2, 2)\nx[i, i]", "tensor"),
        (
            "d(x) = [x]\ne(x) = d(d(d(d(d(d(d(d(x))))))))\nf(x) = e(e(e(e(e(e(e(e(x))))))))\nlen(f(1))",
            "60 deep"
        ),
        ("histogram([-1e308, 1e308])", "apart"),
        ("words(\"a\", x=\"b c d\")", "given twice"),
    ])
    func `what would take too much is refused in words`(source: String, part: String) throws {
        let bench = try Workbench()
        let lines = source.split(separator: "\n").map(String.init)
        for line in lines.dropLast() { _ = try? bench.output(line) }
        #expect(bench.complaint(lines[lines.count - 1]).contains(part))
    }
}
