import Foundation
import TestSupport
import Testing

@testable import Commands
@testable import Sessions
@testable import Values

/// The example of docs/WORKSPACE.md, run by Python on the workspace of a session.
@Suite(
    .enabled(if: Python.withH5py != nil, "no Python with h5py: set SAMI_PYTHON or make .venv"),
    .enabled(if: Workbench.hasShippedModel, "models/tiny is not there"))
struct DocumentedPythonTests {
    @Test func `the documented lines read what statements bound`() throws {
        let bench = try Workbench(access: .readWrite, seed: 1)
        try bench.output(
            """
            load model default
            load rollouts "\(Fixture.path("text/rollouts.jsonl"))"
            """)
        let scores = try #require(try bench.output("score").value?.asTensor)
        let document = try String(
            contentsOfFile: Repository.path("docs/WORKSPACE.md"), encoding: .utf8)
        let example = try #require(
            document.components(separatedBy: "```python\n").dropFirst().first?
                .components(separatedBy: "```").first
        ).replacing("first.samiws", with: bench.folder + "/test.samiws")
        let script =
            example + """

                print(json.dumps([S.shape, S.flatten().tolist(), len(rollouts), weights.shape]))
                """
        let text = try #require(Python.withH5py).run(script)
        let found = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [Any]
        #expect(found?[0] as? [Int] == scores.shape)
        let values = try #require(found?[1] as? [Double])
        #expect(values.map { Float($0) } == scores.values)
        #expect(found?[2] as? Int == 6)
        #expect(found?[3] as? [Int] == [962, 128])
    }
}
