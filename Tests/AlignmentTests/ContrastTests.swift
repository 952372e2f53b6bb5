import Foundation
import Testing

@testable import Alignment

@Suite struct ContrastTests {
    /// Deterministic scores; Tests/Oracles/alignment.py computes the same.
    static func scores(_ constitutions: Int, _ responses: Int) throws -> ScoreMatrix {
        try ScoreMatrix(
            constitutions: constitutions, responses: responses,
            values: (0..<constitutions).flatMap { i in
                (0..<responses).map { j in 2 * sin(Double(1 + 3 * i + 7 * j)) - 1 }
            })
    }

    struct Oracle: Sendable {
        var c, r: Int
        var row, column: Double
        var gradient: [Double]
    }

    /// Tests/Oracles/alignment.py contrast, torch 2.13.0, float64.
    static let oracles = [
        Oracle(
            c: 2, r: 2, row: 0.9087741043318763, column: 2.01866141508192,
            gradient: [
                -0.15317627856904628, 0.38876071775332904, 0.1646370193338167,
                -0.4002214585180994,
            ]),
        Oracle(
            c: 3, r: 3, row: 1.2258055805378965, column: 1.9267860391448535,
            gradient: [
                -0.18205420847651704, 0.1564830360543276, 0.10391052600683888,
                0.06738984336704829, -0.29277540171068545, 0.0682207206479171,
                0.1045640441993714, 0.15680146266923478, -0.18254002275753556,
            ]),
        Oracle(
            c: 3, r: 6, row: 1.3252611493956432, column: 1.8418557872101196,
            gradient: [
                -0.09102710423825852, 0.0782415180271638, 0.05195526300341944,
                -0.0839631578862513, 0.021922758613231452, 0.009875433809263146,
                0.03369492168352414, -0.14638770085534272, 0.03411036032395855,
                0.024438685276643706, -0.07529351799321476, 0.13363887269387703,
                0.0522820220996857, 0.07840073133461739, -0.09127001137876778,
                0.10348268175065833, 0.024921281419294044, -0.15902303768350162,
            ]),
    ]

    @Test(arguments: oracles) func `loss and gradient are torch's`(oracle: Oracle) throws {
        let contrast = try Contrast(Self.scores(oracle.c, oracle.r), query: "q")
        #expect(abs(contrast.row - oracle.row) < 1e-13)
        #expect(abs(contrast.column - oracle.column) < 1e-13)
        #expect(abs(contrast.loss - (oracle.row + oracle.column) / 2) < 1e-13)
        #expect(contrast.grids == oracle.r / oracle.c)
        for (found, wanted) in zip(contrast.gradient.values, oracle.gradient) {
            #expect(abs(found - wanted) < 1e-13)
        }
    }

    @Test(arguments: [(2, 2), (5, 5), (3, 9)])
    func `the gradient is that of finite differences`(c: Int, r: Int) throws {
        let scores = try Self.scores(c, r)
        let gradient = try Contrast(scores, query: "q").gradient
        for index in scores.values.indices {
            var (up, down) = (scores, scores)
            up.values[index] += 1e-5
            down.values[index] -= 1e-5
            let slope =
                try (Contrast(up, query: "q").loss - Contrast(down, query: "q").loss) / 2e-5
            #expect(abs(slope - gradient.values[index]) < 1e-9, "S[\(index / r), \(index % r)]")
        }
    }

    @Test func `scores that say nothing bound the information by nothing`() throws {
        let flat = try ScoreMatrix(
            constitutions: 4, responses: 4, values: Array(repeating: -2.5, count: 16))
        let contrast = try Contrast(flat, query: "q")
        #expect(abs(contrast.rowBound) < 1e-15)
        #expect(abs(contrast.columnBound) < 1e-15)
        #expect(contrast.rowAccuracy == 0.25)
        #expect(contrast.columnAccuracy == 0.25)
    }

    @Test func `bounds reach log C and never pass it`() throws {
        var certain = try ScoreMatrix(
            constitutions: 3, responses: 3, values: Array(repeating: -400, count: 9))
        for i in 0..<3 { certain[i, i] = 400 }
        let contrast = try Contrast(certain, query: "q")
        #expect(contrast.ceiling == log(3))
        #expect(contrast.rowBound == contrast.ceiling)
        #expect(contrast.columnBound <= contrast.ceiling)
        #expect(contrast.rowAccuracy == 1)
        #expect(contrast.gradient.values.allSatisfy { $0 == 0 })
    }

    @Test func `rows and columns answer different questions`() throws {
        // Constitution 1 raises every response, so no row is wrong and one column is.
        let scores = try ScoreMatrix(constitutions: 2, responses: 2, values: [-3, -4, -2, -1])
        let contrast = try Contrast(scores, query: "q")
        #expect(contrast.rowAccuracy == 1)
        #expect(contrast.columnAccuracy == 0.5)
        #expect(contrast.row < contrast.column)
    }

    @Test func `what is no grid is refused with its shape`() throws {
        for (c, r) in [(1, 1), (2, 3), (2, 1), (0, 0)] {
            let scores = ScoreMatrix(zeros: c, r)
            #expect(
                throws: AlignmentError.contrastShape(query: "q", constitutions: c, responses: r)
            ) { try Contrast(scores, query: "q") }
        }
        #expect(throws: AlignmentError.scoreShape(constitutions: 2, responses: 2, values: 3)) {
            try ScoreMatrix(constitutions: 2, responses: 2, values: [1, 2, 3])
        }
    }

    @Test func `stored scores are read back, and refused where their shape is not theirs`() throws {
        let scores = try Self.scores(3, 6)
        let data = try JSONEncoder().encode(scores)
        #expect(try JSONDecoder().decode(ScoreMatrix.self, from: data) == scores)
        for shape in [#""constitutions":2,"responses":2"#, #""constitutions":-1,"responses":-1"#] {
            let bad = Data("{\(shape),\"values\":[1]}".utf8)
            #expect(throws: AlignmentError.self) {
                try JSONDecoder().decode(ScoreMatrix.self, from: bad)
            }
        }
        #expect(throws: AlignmentError.self) {
            try ScoreMatrix(constitutions: Int.max, responses: 4, values: [])
        }
    }

    @Test func `a score that is not a number is named`() throws {
        var scores = try Self.scores(2, 4)
        scores[1, 2] = .nan
        #expect(
            throws: AlignmentError.scoreNotFinite(query: "q7", constitution: 1, response: 2)
        ) { try Contrast(scores, query: "q7") }
    }

    @Test func `the summary counts queries alike`() throws {
        let one = try Contrast(Self.scores(2, 2), query: "a")
        let two = try Contrast(Self.scores(3, 3), query: "b")
        let summary = ContrastSummary([one, two])
        #expect(summary.queries == 2)
        #expect(abs(summary.loss - (one.loss + two.loss) / 2) < 1e-15)
        #expect(abs(summary.ceiling - (log(2) + log(3)) / 2) < 1e-15)
        #expect(ContrastSummary([]).loss == 0)
    }
}
