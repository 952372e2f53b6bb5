import TestSupport
import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import ShippedWorld
@testable import Values

@Suite struct ExpressionTests {
    @Test(arguments: [
        ("1 + 2 * 3", "7"), ("2 ** 10", "1024"), ("-2 ** 2", "-4"), ("7 // 2", "3"),
        ("-7 % 3", "2"), ("1 / 3", "0.3333333333333333"), ("0.1 + 0.2", "0.30000000000000004"),
        ("1e20", "1e+20"),
        ("\"a\" + \"b\"", "ab"), ("[1, 2] + [3]", "[1, 2, 3]"), ("\"abc\"[1]", "b"),
        ("\"abc\"[-2:]", "bc"), ("[1, 2, 3][-1]", "3"), ("[1, 2, 3][::-1]", "[3, 2, 1]"),
        ("[1, 2, 3][1:100]", "[2, 3]"), ("range(10)[2:8:3]", "[2, 5]"),
        ("range(5)[[0, -1]]", "[0, 4]"),
        ("1 < 2 and not false", "true"), ("false and 1 / 0 > 0", "false"),
        ("true or nothing", "true"), ("[1, \"a\"] == [1, \"a\"]", "true"), ("null == 0", "false"),
        ("{\"a\": 1, \"b\": [2]}.b[0]", "2"), ("{\"a\": 1}[\"a\"]", "1"), ("len(\"日本語\")", "3"),
        ("sum([1, 2, 3])", "6"), ("mean([1, 2, 3, 4])", "2.5"), ("max(3, 5, 4)", "5"),
        ("min([4, 2, 8])", "2"), ("norm([3, 4])", "5"), ("round(2.71828, 2)", "2.72"),
        ("argmax([1, 5, 2])", "1"), ("sqrt(2) ** 2", "2.0000000000000004"), ("int(-2.7)", "-2"),
        ("float(\" 1.5 \")", "1.5"), ("str(1.0) + \"x\"", "1x"), ("split(\"a b  c\")[2]", "c"),
        ("join([\"a\", \"b\"], \"-\")", "a-b"), ("sort([3, 1, 2], reverse=true)", "[3, 2, 1]"),
        ("zip([1, 2], [3, 4])", "[[1, 3], [2, 4]]"), ("shape(tensor([[1, 2, 3]]))", "[1, 3]"),
        ("tensor([[1, 2], [3, 4]])[1, 0]", "3"), ("tensor([[1, 2], [3, 4]])[:, 1].max", "4"),
        ("(tensor([[1, 2], [3, 4]]) @ tensor([1, 1]))[1]", "7"),
        ("tensor([1, 2]) @ tensor([3, 4])", "11"),
        ("sum(tensor([[1, 2]]) + tensor([[1], [2]]))", "12"),
        ("transpose([[1, 2, 3]]).shape", "[3, 1]"), ("ones(2, 3).T.shape", "[3, 2]"),
        ("all(tensor([1, 2]) == tensor([1, 2]))", "true"),
        ("round(sum(softmax([1, 2, 3])), 5)", "1"),
        ("logsumexp([0, 0]) == log(2)", "true"), ("sum(range(4)[1:], axis=0)", "6"),
        ("type(1)", "number"), ("keys(record(a=1, b=2))", "[\"a\", \"b\"]"),
        ("reshape(range(6), [2, -1]).shape", "[2, 3]"),
        ("contains(\"principle\", \"rinc\")", "true"),
        ("unique([1, 2, 1])", "[1, 2]"), ("[{\"a\": 1}, {\"a\": 2}].a", "[1, 2]"),
        ("isfinite(1)", "true"),
        ("tensor([[[1, 2], [3, 4]]])[0, :, 1]", "tensor (2,) float32  2 … 4  mean 3\n  2  4"),
        ("10 > 9.5", "true"), ("\"a\" < \"b\"", "true"), ("null", "null"),
    ])
    func `an expression gives`(_ source: String, _ expected: String) throws {
        #expect(try Workbench().text(source) == expected)
    }

    @Test(arguments: [
        (
            "[1, 2][5]",
            """
            error: index 5 is out of range: the list has 2 items, 0 to 1
              [1, 2][5]
                     ^
            """
        ),
        (
            "tensor([1, 2]) + tensor([1, 2, 3])",
            """
            error: `+` cannot combine shapes (2,) and (3,)
              tensor([1, 2]) + tensor([1, 2, 3])
              ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
              from the last one on, each pair of dimensions must be equal, or one of them 1
            """
        ),
        (
            "ones(2, 3) @ ones(2, 3)",
            """
            error: `@` cannot multiply shapes (2, 3) and (2, 3)
              ones(2, 3) @ ones(2, 3)
              ^~~~~~~~~~~~~~~~~~~~~~~
              3 columns meet 2 rows
            """
        ),
        (
            "1 + nothing",
            """
            error: there is no value called `nothing`
              1 + nothing
                  ^~~~~~~
            """
        ),
        (
            "rollouts[0]",
            """
            error: there is no value called `rollouts`
              rollouts[0]
              ^~~~~~~~
              make it first: rollout
            """
        ),
        (
            "_ + 1",
            """
            error: `_` is the last result, and there is none yet
              _ + 1
              ^
            """
        ),
        (
            "ones(3).shap",
            """
            error: a tensor has no field `shap`
              ones(3).shap
                      ^~~~
              did you mean `shape`?
              try: ones(3).shape
            """
        ),
        (
            "[1, 2] * 2",
            """
            error: `*` cannot take a list and a number
              [1, 2] * 2
              ^~~~~~~~~~
              tensor([1, 2]) makes a list of numbers a tensor
            """
        ),
        (
            "\"a\" - 1",
            """
            error: `-` cannot take text and a number
              "a" - 1
              ^~~~~~~
            """
        ),
        (
            "1 / 0",
            """
            error: this divides by zero
              1 / 0
              ^~~~~
            """
        ),
        (
            "[1][0.5]",
            """
            error: an index must be a whole number, not 0.5
              [1][0.5]
                  ^~~
            """
        ),
        (
            "5[0]",
            """
            error: a number cannot be indexed
              5[0]
                ^
            """
        ),
        (
            "ones(2)[0, 0]",
            """
            error: 2 indexes are too many for a tensor of shape (2,)
              ones(2)[0, 0]
                      ^~~~
            """
        ),
        (
            "sum(\"abc\")",
            """
            error: `x` of `sum` must be a number, a list of numbers or a tensor, not text
              sum("abc")
              ^~~~~~~~~~
            """
        ),
        (
            "tensor([[1, 2], [3]])",
            """
            error: these lists differ in length or kind, so they cannot form a tensor
              tensor([[1, 2], [3]])
              ^~~~~~~~~~~~~~~~~~~~~
            """
        ),
        (
            "mean(ones(2, 2), axis=2)",
            """
            error: there is no axis 2 in shape (2, 2)
              mean(ones(2, 2), axis=2)
              ^~~~~~~~~~~~~~~~~~~~~~~~
            """
        ),
        (
            "ones(1000000, 1000000)",
            """
            error: shape (1000000, 1000000) is larger than the limit for a tensor, 268,435,456 values (`set tensor_limit=`)
              ones(1000000, 1000000)
              ^~~~~~~~~~~~~~~~~~~~~~
            """
        ),
        (
            "range(1e12)",
            """
            error: 1,000,000,000,000 items are more than the limit for a list, 10,000,000
              range(1e12)
              ^~~~~~~~~~~
            """
        ),
        (
            "reshape(range(6), [-1, -99, 1e14])",
            """
            error: a dimension of a shape must be at least -1, not -99
              reshape(range(6), [-1, -99, 1e14])
              ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
            """
        ),
        (
            "reshape(range(6), [4, 2])",
            """
            error: shape (6,) cannot become (4, 2): 6 values are not 8
              reshape(range(6), [4, 2])
              ^~~~~~~~~~~~~~~~~~~~~~~~~
            """
        ),
        (
            "if_true = 1 and 2",
            """
            error: true or false was expected, not a number
              if_true = 1 and 2
                        ^
            """
        ),
    ])
    func `a wrong expression says`(_ source: String, _ expected: String) throws {
        #expect(try Workbench().complaint(source) == expected)
    }

    @Test func `every function's example gives a value`() throws {
        let bench = try Workbench()
        for function in Function.all {
            let output = try bench.output(function.example)
            #expect(output.value != nil, "\(function.example)")
        }
    }

    @Test func `random expressions never crash and always answer`() throws {
        let bench = try Workbench()
        let atoms = [
            "1", "0", "-1", "0.5", "1e308", "\"a\"", "[]", "[1, 2]", "tensor([1, 2])", "ones(2, 2)",
            "zeros(0)", "null", "true", "{\"a\": 1}", "_", "x",
        ]
        let operators = ["+", "-", "*", "/", "//", "%", "**", "@", "<", "==", "and", "or"]
        let calls = Function.all.map(\.name)
        var generator = SeededGenerator(1)
        func random(_ bound: Int) -> Int { generator.below(bound) }
        func expression(_ depth: Int) -> String {
            if depth == 0 { return atoms[random(atoms.count)] }
            switch random(6) {
            case 0: return "\(calls[random(calls.count)])(\(expression(depth - 1)))"
            case 1:
                return
                    "\(calls[random(calls.count)])(\(expression(depth - 1)), \(expression(depth - 1)))"
            case 2: return "(\(expression(depth - 1)))[\(expression(0))]"
            case 3: return "(\(expression(depth - 1)))[\(expression(0)):, :\(expression(0))]"
            default:
                return "(\(expression(depth - 1))) \(operators[random(operators.count)]) "
                    + "(\(expression(depth - 1)))"
            }
        }
        for _ in 0..<3000 {
            let source = expression(3)
            let outcomes = bench.run(source)
            #expect(outcomes.count == 1, "\(source)")
            for outcome in outcomes {
                if case .failure(let failure) = outcome.result {
                    #expect(!failure.message.isEmpty, "\(source)")
                }
                _ = outcome.json
            }
        }
    }
}
