import Foundation
import HDF5Objects
import Testing
import Workspaces

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import ShippedWorld
@testable import Values

/// Non-finite weights stop every verb that uses them, with the query in the message, and change
/// nothing.
@Suite(.enabled(if: Workbench.hasShippedModel, "needs models/tiny: `make demo` or SAMI_MODELS"))
struct NonFiniteTests {
    /// The shipped model with one non-finite weight, in the place of `model`.
    private func bench(_ number: Float) throws -> Workbench {
        let bench = try Workbench(access: .readWrite, seed: 1)
        try bench.output(
            """
            load model default
            principles = load principles trained
            load queries summaries split=test count=3
            compose seed=1
            rollout seed=2
            backward
            """)
        bench.session.close()
        let workspace = try Workspace.open(bench.folder + "/test.samiws")
        var object = try workspace.read("model")
        object.value = Self.broken(object.value, number)
        try workspace.commit(
            try workspace.begin(source: "break", seed: ""), bind: [("model", .stored(object))],
            seconds: 0)
        workspace.close()
        return bench
    }

    /// Another number in the middle of the largest array.
    private static func broken(_ value: StoredValue, _ number: Float) -> StoredValue {
        func largest(_ value: StoredValue) -> Int {
            switch value {
            case .array(let array): array.count
            case .record(let record): record.fields.map { largest($0.value) }.max() ?? 0
            default: 0
            }
        }
        switch value {
        case .record(var record):
            let place = record.fields.indices.max {
                largest(record.fields[$0].value) < largest(record.fields[$1].value)
            }
            if let place {
                record.fields[place].value = broken(record.fields[place].value, number)
            }
            return .record(record)
        case .array(let array):
            guard var values = try? array.values(as: Float.self) else { return value }
            values[values.count / 2] = number
            return (try? StoredArray(values, shape: array.shape)).map(StoredValue.array) ?? value
        default: return value
        }
    }

    @Test(arguments: [Float.nan, .infinity])
    func `a statement that meets them names the query and changes nothing`(_ number: Float) throws {
        let bench = try bench(number)
        defer { withExtendedLifetime(bench) {} }
        let session = try bench.reopened()
        let before = session.workspace.names
        for source in [
            "rollout seed=2", "score", "backward", "train steps=1 accumulate=1",
            "iterate 1 queries=4 from=previous base=model", "judge queries[0:1] seed=1",
        ] {
            var found: Failure?
            for case .failure(let failure) in session.outcomes(of: source).map(\.result) {
                found = failure
            }
            let failure = try #require(found, "`\(source)` went well")
            #expect(failure.kind == .numbers, "\(source): \(failure.message)")
            #expect(failure.message.hasPrefix("query "), "\(source): \(failure.message)")
            #expect(session.workspace.names == before, "\(source)")
        }
        for source in ["generate \"The\"", "pretrain steps=1 batch=128"] {
            var found: Failure?
            for case .failure(let failure) in session.outcomes(of: source).map(\.result) {
                found = failure
            }
            #expect(found?.kind == .numbers, "\(source): \(found?.message ?? "went well")")
            #expect(session.workspace.names == before, "\(source)")
        }
        session.close()
    }
}
