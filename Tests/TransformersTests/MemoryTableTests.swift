import Foundation
import Testing

@testable import Transformers

/// The table of docs/CHECKPOINTS.md says what the arithmetic gives.
@Suite struct MemoryTableTests {
    @Test(arguments: ["mistral-7b", "mixtral-8x7b", "llama3-70b"])
    func theDocumentedTableIsTheArithmetic(_ name: String) throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(
            contentsOf: root.appendingPathComponent("docs/CHECKPOINTS.md"), encoding: .utf8)
        let line = try #require(
            text.split(separator: "\n").first { $0.hasPrefix("| \(name) |") }, "no row for \(name)")
        let cells = line.split(separator: "|").dropFirst().compactMap { cell in
            Int(cell.filter(\.isNumber))
        }
        let configuration = try #require(ModelConfiguration.published[name])
        func training(keeps: Bool) -> MemoryEstimate.Work {
            .training(
                constitutions: 2, responses: 2, prompt: 512, response: 128, moments: 1,
                keepsActivations: keeps)
        }
        let works: [MemoryEstimate.Work] = [
            .generating(batch: 1, prompt: 512, new: 128),
            .generating(batch: 32, prompt: 512, new: 128),
            .scoring(constitutions: 2, responses: 2, prompt: 512, response: 128),
            training(keeps: true), training(keeps: false),
        ]
        let gigabytes = try works.map { work in
            let bytes = try MemoryEstimate(configuration, .bfloat16, work).total
            return Int((Double(bytes) / 1e9).rounded())
        }
        #expect(cells == [try configuration.parameterLayout().count] + gigabytes)
    }
}
