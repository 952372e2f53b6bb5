import Testing

@testable import Alignment

@Suite struct ContrastPartsTests {
    /// S of two constitutions and two samples each, by hand: the softmax of (0, log 3) is (¼, ¾).
    @Test func `rows and columns are softmaxes of their block, and their means are the loss`()
        throws
    {
        let third = 1.0986122886681098
        let scores = try ScoreMatrix(
            constitutions: 2, responses: 4, values: [third, 0, 0, 0, 0, third, 0, 0])
        let parts = try ContrastParts(scores, query: "q")
        #expect(parts.rows.map(\.grid) == [0, 0, 1, 1])
        #expect(parts.columns.map(\.index) == [0, 1, 2, 3])
        #expect(parts.columns.map(\.label) == [0, 1, 0, 1])
        #expect(abs(parts.rows[0].shares[0] - 0.75) < 1e-12)
        #expect(abs(parts.columns[1].shares[0] - 0.25) < 1e-12)
        #expect(abs(parts.columns[3].shares[0] - 0.5) < 1e-12)
        func mean(_ parts: [ContrastParts.Part]) -> Double {
            parts.reduce(0) { $0 + $1.loss } / Double(parts.count)
        }
        #expect(abs(mean(parts.rows) - parts.contrast.row) < 1e-12)
        #expect(abs(mean(parts.columns) - parts.contrast.column) < 1e-12)
        #expect(parts.rows[0].isRight && parts.columns[2].isRight)
    }

    @Test func `the worst response is the one with the largest column loss`() throws {
        let scores = try ScoreMatrix(constitutions: 2, responses: 2, values: [-1, -1, -2, -3])
        let parts = try ContrastParts(scores, query: "q")
        #expect(parts.worst.index == 1)
        #expect(!parts.worst.isRight)
        #expect(throws: AlignmentError.self) {
            try ContrastParts(
                ScoreMatrix(constitutions: 2, responses: 3, values: [0, 0, 0, 0, 0, 0]), query: "q")
        }
    }
}
