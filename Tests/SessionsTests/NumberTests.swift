import Foundation
import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import Values

/// Functions on numbers against literal results of numpy 2.4.6 (float64), and the printing of
/// numbers.
@Suite struct NumberTests {
    private static let x = "[0.1, 0.7, 0.2, 0.4, 0.35, 0.001, 2.5, 7, 3.25]"
    private static let m = "tensor([[1, 2, 4], [8, 16, 32]])"

    private func number(_ source: String) throws -> Double {
        try #require(try Workbench().output(source).value?.asNumber, "\(source)")
    }

    private func numbers(_ source: String) throws -> [Double] {
        let value = try #require(try Workbench().output(source).value)
        if case .list(let items) = value { return items.compactMap(\.asNumber) }
        return try #require(value.asTensor, "\(source)").values.map(Double.init)
    }

    @Test(arguments: [
        ("mean(X)", 1.6112222222222221), ("sum(X)", 14.501), ("var(X)", 4.807851950617284),
        ("var(X, ddof=1)", 5.408833444444444), ("std(X)", 2.192681452153341),
        ("std(X, ddof=1)", 2.3256898856993904), ("median(X)", 0.4),
        ("median([4, 1, 3, 2])", 2.5), ("quantile(X, 0.25)", 0.2),
        ("quantile(X, 0.9)", 4.000000000000001), ("quantile(X, 0.333)", 0.29960000000000003),
        ("quantile([1, 2, 3, 4], 0.25)", 1.75), ("min(X)", 0.001), ("max(X)", 7),
        ("X.mean", 1.6112222222222221), ("X.sum", 14.501), ("X.std", 2.192681452153341),
        ("X.min", 0.001), ("X.max", 7),
    ])
    func `a function of a list is numpy's to the last digit`(
        source: String, expected: Double
    ) throws {
        #expect(try number(source.replacingOccurrences(of: "X", with: Self.x)) == expected)
    }

    @Test(arguments: [
        ("norm(X)", 8.163026460817091), ("X.norm", 8.163026460817091),
        ("corr(X, [0.01, 0.49, 0.04, 0.16, 0.1225, 1e-6, 6.25, 49, 10.5625])", 0.9584321791023854),
        ("cosine(X, X[::-1])", 0.1736819963430329),
    ])
    func `a function that numpy computes in another order agrees closely`(
        source: String, expected: Double
    ) throws {
        let value = try number(source.replacingOccurrences(of: "X", with: Self.x))
        #expect(abs(value - expected) < 4e-16 * max(1, abs(expected)), "\(source) gave \(value)")
    }

    @Test(
        arguments: [
            ("var(M, axis=0)", [12.25, 49, 196]),
            ("var(M, axis=1, ddof=1)", [2.3333333, 149.33333]),
            ("std(M, axis=1)", [1.2472191, 9.977753]), ("median(M, axis=0)", [4.5, 9, 18]),
            ("quantile(M, 0.3, axis=1)", [1.6, 12.8]), ("cumsum(M, axis=0)", [1, 2, 4, 9, 18, 36]),
            ("cumsum(M, axis=1)", [1, 3, 7, 8, 24, 56]),
            ("concat(M, M[0:1]).shape", [3, 3]),
            ("concat(M, M[:, 0:1], axis=1)", [1, 2, 4, 1, 8, 16, 32, 8]),
            ("concat([M, M]).shape", [4, 3]), ("concat([1, 2], [3])", [1, 2, 3]),
            ("stack(M[0], M[1], axis=1)", [1, 8, 2, 16, 4, 32]),
            ("stack([M, M]).shape", [2, 2, 3]),
            ("stack(1, 2)", [1, 2]), ("cumsum([0.1, 0.7, 0.2])", [0.1, 0.7999999999999999, 1]),
            ("linspace(0, 1, 7)", [0, 1.0 / 6, 2.0 / 6, 0.5, 4.0 / 6, 5.0 / 6, 1]),
            (
                "range(0, 1, 0.1)",
                [
                    0, 0.1, 0.2, 0.30000000000000004, 0.4, 0.5, 0.6000000000000001,
                    0.7000000000000001, 0.8, 0.9,
                ]
            ),
            ("range(0, 0.3, 0.1)", [0, 0.1, 0.2]), ("range(1, 1.3, 0.1)", [1, 1.1, 1.2]),
            ("range(1, 0, -0.5)", [1, 0.5]), ("range(2, 8, 3)", [2, 5]), ("range(3, 1)", []),
            ("cosine([1, 0], [[1, 1], [0, 2], [3, 0]])", [0.70710677, 0, 1]),
            ("histogram(X, bins=4).counts", [6, 2, 0, 1]),
            ("histogram(X, bins=4).edges", [0.001, 1.75075, 3.5005, 5.25025, 7]),
            (
                "histogram([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]).counts",
                [1, 1, 2, 0, 1, 2, 1, 0, 1, 2]
            ),
            ("histogram([1, 1], bins=2).edges", [0.5, 1, 1.5]),
            ("histogram(X, bins=3, range=[0, 3]).counts", [6, 0, 1]),
            ("isnan(tensor([1, 2]) / tensor([0, 0]) * 0)", [1, 1]),
        ] as [(String, [Double])])
    func `a function of arrays gives numpy's numbers`(source: String, expected: [Double]) throws {
        let source = source.replacingOccurrences(of: "X", with: Self.x)
            .replacingOccurrences(of: "M", with: Self.m)
        let values = try numbers(source)
        #expect(values.count == expected.count, "\(source) gave \(values)")
        for (value, wanted) in zip(values, expected) {
            #expect(abs(value - wanted) <= 1e-7 * max(1, abs(wanted)), "\(source) gave \(values)")
        }
    }

    @Test func `sums of many doubles are added in numpy's order`() {
        // np.sin(np.arange(300) * 0.37), whose sum numpy 2.4.6 gives as 4.446771814935279.
        let values = (0..<300).map { sin(Double($0) * 0.37) }
        #expect(abs(Statistics.pairwiseSum(values[...]) - 4.446771814935279) < 1e-13)
        let whole = (1...1000).map(Double.init)
        #expect(Statistics.pairwiseSum(whole[...]) == 500_500)
    }

    @Test(arguments: ["mean", "std", "min", "max", "sum", "norm"])
    func `a field of a tensor is the function of the same name`(name: String) throws {
        let bench = try Workbench()
        try bench.output("t = normal(3, 4, seed=2)")
        #expect(try bench.text("t.\(name) == \(name)(t)") == "true")
        #expect(try bench.text("[0.1, 0.2].\(name) == \(name)([0.1, 0.2])") == "true")
        #expect(
            try bench.text("isnan(\(name)([1, nan])) and isnan(tensor([nan, 1]).\(name))") == "true"
        )
    }

    @Test func `constants have names that a value may take`() throws {
        let bench = try Workbench()
        #expect(try bench.text("[pi, -inf, nan]") == "[3.141593, -inf, nan]")
        #expect(try bench.text("pi") == "3.141592653589793")
        #expect(try bench.text("isnan(nan) and isinf(-inf) and not isfinite(inf)") == "true")
        #expect(try bench.text("nan == nan") == "false")
        #expect(try bench.text("pi = 3; pi") == "3")
    }

    @Test func `an ellipsis stands for the axes that are left`() throws {
        let bench = try Workbench()
        try bench.output("t = reshape(range(24), [2, 3, 4])")
        for (source, other) in [
            ("t[..., 1]", "t[:, :, 1]"), ("t[1, ...]", "t[1]"), ("t[0, ..., 2]", "t[0, :, 2]"),
            ("t[...]", "t"), ("t[0, 1, ..., 2]", "t[0, 1, 2]"), ("t[..., ::2]", "t[:, :, ::2]"),
            ("[[1, 2], [3, 4]][..., 1]", "[2, 4]"),
        ] {
            #expect(try bench.text(source) == bench.text(other), "\(source)")
        }
        #expect(
            bench.complaint("t[..., 0, ...]").contains(
                "error: `...` stands for the axes that are left, so it can stand once\n"))
        #expect(
            bench.complaint("t[0, 0, 0, ..., 0]").contains(
                "error: 4 indexes are too many for a tensor of shape (2, 3, 4)\n"))
    }

    @Test func `faulty arguments get a sentence`() throws {
        let bench = try Workbench()
        for (source, sentence) in [
            ("quantile([1], 2)", "`q` of `quantile` must be between 0 and 1, not 2"),
            ("median([])", "`median` needs at least one value"),
            (
                "histogram([1, nan])",
                "`histogram` takes finite numbers, and some of these are nan or infinite"
            ),
            ("histogram([1], bins=0)", "`bins` must be at least 1, not 0"),
            (
                "histogram([1], range=[2, 1])",
                "`range` of `histogram` must be two numbers in rising order, not [2, 1]"
            ),
            ("corr([1], [1, 2])", "`corr` cannot combine shapes (1,) and (2,)"),
            ("cosine(ones(2, 3), ones(4, 3))", "`cosine` cannot combine shapes (2, 3) and (4, 3)"),
            ("cumsum(ones(2, 2))", "`cumsum` needs `axis`"),
            ("concat(ones(2, 2), ones(3))", "`concat` cannot combine shapes (2, 2) and (3,)"),
            (
                "concat(1, 2)",
                "each value of `concat` must be a list or a tensor with an axis, not a number"
            ),
            ("stack(ones(2), ones(3))", "`stack` cannot combine shapes (2,) and (3,)"),
            ("stack(ones(2), axis=3)", "there is no axis 3 in shape (2,)"),
            ("linspace(0, 1, -1)", "`count` must be at least 0, not -1"),
            (
                "linspace(0, 1, 1e9)",
                "1,000,000,000 items are more than the limit for a list, 10,000,000"
            ),
            ("range(0, inf)", "`stop` of `range` must be finite, not inf"),
            (
                "range(0, 1, 1e-9)",
                "1,000,000,000 items are more than the limit for a list, 10,000,000"
            ),
            ("normal(-1)", "a dimension of a shape must be at least 0, not -1"),
            ("normal(2, sdt=1)", "`normal` has no key `sdt`"),
            ("var([1, 2], ddof=-1)", "`ddof` must be at least 0, not -1"),
            (
                "float(\"9007199254740993\")",
                "9007199254740993 is beyond 2^53, where whole numbers are no longer exact"
            ),
        ] {
            #expect(bench.complaint(source).contains("error: \(sentence)\n"), "\(source)")
        }
    }

    @Test func `random tensors are drawn by key, and drawn again by a replay`() throws {
        let bench = try Workbench(access: .readWrite, seed: 5)
        try bench.output("a = normal(1000); b = normal(1000); c = [normal(2), normal(2)]")
        #expect(try bench.text("a == b").contains("mean 0"))
        #expect(try bench.text("any(c[0] == c[1])") == "false")
        #expect(abs(try #require(try bench.output("a.mean").value?.asNumber)) < 0.1)
        #expect(abs(try #require(try bench.output("a.std").value?.asNumber) - 1) < 0.1)
        try bench.output("u = uniform(1000, low=2, high=3)")
        #expect(try bench.text("u.min >= 2 and u.max < 3 and u.max - u.min > 0.9") == "true")
        try bench.output("d = normal(5, seed=1); e = normal(5, seed=1)")
        #expect(try bench.text("all(d == e)") == "true")
        // A bare expression is a statement of its own: the next one draws other numbers.
        let first = try bench.text("normal(3)")
        #expect(try bench.text("normal(3)") != first)
        try bench.output("kept = _")
        #expect(try bench.text("replay check=true").contains("same to the last bit"))
        // Another session of the same seed draws the same.
        let other = try Workbench(access: .readWrite, seed: 5)
        try other.output("a = normal(1000)")
        #expect(try other.text("sum(a)") == bench.text("sum(a)"))
    }

    @Test(arguments: [
        ("0.1 + 0.2", "0.30000000000000004"), ("0.1", "0.1"), ("1 / 3", "0.3333333333333333"),
        ("2 ** 53", "9007199254740992"), ("2 ** 53 - 1", "9007199254740991"),
        ("1e15", "1000000000000000"),
        ("-1234567890123456", "-1234567890123456"), ("1e-7", "1e-07"), ("1e300", "1e+300"),
        ("0.1 + 0.2 == 0.3", "false"), ("str(0.1 + 0.2)", "0.30000000000000004"), ("-0.0", "0"),
        ("float(str(1 / 3)) == 1 / 3", "true"),
    ])
    func `a number is printed with the digits that give it back`(
        source: String, expected: String
    ) throws {
        #expect(try Workbench().text(source) == expected)
    }
}
