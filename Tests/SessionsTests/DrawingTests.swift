import LongWork
import Tensors
import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import ShippedWorld
@testable import Values

@Suite struct DrawingTests {
    @Test(arguments: [
        (0.0, "0"), (1.0, "1"), (-12.5, "-12.5"), (0.1 + 0.2, "0.3"), (1e-7, "1e-07"),
        (1.0 / 3, "0.3333333"), (123_456_789.0, "123456789"), (1e300, "1e+300"),
        (0.00012345, "0.00012345"),
        (9.9999999, "10"), (-0.0, "0"), (.infinity, "inf"), (.nan, "nan"),
        (.leastNonzeroMagnitude, "5e-324"),
    ])
    func `a number reads`(_ number: Double, _ expected: String) {
        #expect(NumberText.significant(number) == expected)
    }

    @Test(arguments: [
        (1.005, 2, "1.00"), (-0.001, 2, "0.00"), (2.5, 0, "2"), (12.3456, 3, "12.346"),
        (-1.25, 1, "-1.2"), (99.999, 1, "100.0"),
    ])
    func `a number with fixed decimals reads`(_ number: Double, _ decimals: Int, _ expected: String)
    {
        #expect(NumberText.fixed(number, decimals: decimals) == expected)
    }

    @Test func `sizes, times and counts read`() {
        #expect(NumberText.bytes(1) == "1 byte")
        #expect(NumberText.bytes(12_345_678) == "12.3 MB")
        #expect(NumberText.duration(0.0123) == "12 ms")
        #expect(NumberText.duration(3.21) == "3.2 s")
        #expect(NumberText.duration(67) == "1:07")
        #expect(NumberText.duration(7390) == "2:03:10")
        #expect(NumberText.grouped(-1_234_567) == "-1,234,567")
        #expect(NumberText.count(1, "query", "queries") == "1 query")
        #expect(NumberText.percent(0.72345) == "72.3 %")
    }

    @Test func `a tensor prints as a summary and its corners`() {
        let tensor = Tensor((0..<200).map { Float($0) / 8 }, shape: [2, 10, 10])
        #expect(
            Value.tensor(tensor).rendered(Appearance(width: 60)).plain == """
                tensor (2, 10, 10) float32  0 … 24.88  mean 12.44
                [0, :, :]
                       0  0.1250  0.2500  0.3750  …  1.1250
                  1.2500  1.3750  1.5000  1.6250  …  2.3750
                  2.5000  2.6250  2.7500  2.8750  …  3.6250
                  3.7500  3.8750       4  4.1250  …  4.8750
                       5  5.1250  5.2500  5.3750  …  6.1250
                  6.2500  6.3750  6.5000  6.6250  …  7.3750
                       …       …       …       …  …       …
                      10  10.125  10.250  10.375  …  11.125
                  11.250  11.375  11.500  11.625  …  12.375
                """)
    }

    @Test func `values that are not finite are counted`() {
        let tensor = Tensor([1, .nan, .infinity, 3], shape: [4])
        #expect(TensorText.summary(tensor) == "tensor (4,) float32  1 … 3  mean 2  2 non-finite")
        #expect(
            TensorText.summary(Tensor(zeros: [0])) == "tensor (0,) float32  no values")
    }

    @Test func `a long line is broken between words, and keeps its styles`() {
        var text = StyledText("one ", .name)
        text.append("two three\nfour five", .plain)
        let wrapped = text.wrapped(cells: 8)
        #expect(wrapped.plain == "one two\nthree\nfour\nfive")
        #expect(wrapped.runs.first?.style == .name)
        #expect(text.wrapped(cells: 20) == text)
        #expect(StyledText("unbreakable word").wrapped(cells: 6).plain == "unbreakable\nword")
    }

    @Test func `a strip is broken before a word, not before its full stop`() {
        let strip = TokenStrip(
            tokens: [" aaaaaaaaaa", " bbbbbbbb", "."].map { TokenStrip.Token(text: $0, shift: 0) })
        #expect(strip.rendered(Appearance(width: 20)).plain == " aaaaaaaaaa\nbbbbbbbb.")
        #expect(TextWidth.wrapped("one two.", to: 7) == ["one", "two."])
    }

    @Test func `a heat map without color shows digits, the diagonal in brackets`() {
        let map = HeatMap(rows: 2, columns: 2, values: [-1.25, -2, -3.5, -0.5])
        #expect(
            map.rendered(Appearance()).plain == """
                         y0       y1
                c0  [-1.250]  -2.000
                c1   -3.500  [-0.500]
                """)
        let colored = map.rendered(Appearance(color: .full)).rendered(.full)
        #expect(colored.contains("\u{1B}[1;38;2;"))
        for line in colored.split(separator: "\n") { #expect(!line.hasSuffix("m ")) }
    }

    @Test func `a token strip without color says how much a token moves`() {
        let strip = TokenStrip(tokens: [
            .init(text: "Arr", shift: 2.314), .init(text: ", matey", shift: -0.26),
            .init(text: "!", shift: 0.01),
        ])
        #expect(strip.rendered(Appearance()).plain == "Arr{+2.31}, matey{-0.26}!")
        #expect(strip.rendered(Appearance(color: .palette)).plain == "Arr, matey!")
        #expect(strip.rendered(Appearance(width: 20)).plain == "Arr{+2.31}\n, matey{-0.26}!")
    }

    @Test func `a narrow window cuts cells, not characters`() {
        var table = Table([.init("name"), .init("text")])
        table.append(["a", "日本語のとても長い文章です"])
        #expect(table.rendered(Appearance(width: 20)).plain == "name  text\na     日本語のとて…")
    }

    @Test func `text with escapes cannot steer a terminal`() {
        #expect(TextWidth.printable("a\u{1B}[2Jb\nc\td") == "a\\x1b[2Jb\nc\td")
        #expect(TextWidth.oneLine("a\nb\u{7}") == "a\\nb\\x07")
        let wide = TextWidth.wrapped("aa bb 漢字漢字 cc", to: 6)
        #expect(wide == ["aa bb", "漢字漢", "字 cc"])
    }

    @Test func `progress fits its line`() {
        let progress = Progress(
            task: "train", completed: 12, total: 64, unit: "queries", share: 0.195, rate: 431.2,
            rateUnit: "tokens/s", elapsed: 5, remaining: 21, isFinished: false,
            step: .init(3, of: 9), losses: Course([0.9, 0.5, 0.412]))
        #expect(
            progress.line(width: 80)
                == "train  12/64 queries  19 %  21 s left  431 tokens/s  step 3 of 9, loss 0.412")
        #expect(
            progress.line(width: 90, isUnicode: true)
                == "train  12/64 queries  19 %  21 s left  431 tokens/s  step 3 of 9, loss 0.412  █▂▁"
        )
        #expect(progress.line(width: 40) == "train  12/64 queries  19 %  21 s left")
    }
}
