import Foundation
import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import ShippedWorld
@testable import Values

/// A session in a temporary folder, with functions for tests.
final class Workbench {
    let folder: String
    let session: Session

    init(access: Access = .ephemeral, seed: UInt64? = nil) throws {
        folder = NSTemporaryDirectory() + "sami-sessions-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        session = try Workbench.open(folder, access, seed)
    }

    private static func open(
        _ folder: String, _ access: Access, _ seed: UInt64?
    ) throws -> Session {
        var configuration = Session.Configuration()
        configuration.access = access
        configuration.workspace = "test.samiws"
        configuration.directory = folder
        configuration.seed = seed
        return try Session(configuration)
    }

    /// Another session on the same folder.
    func reopened(_ access: Access = .readWrite) throws -> Session {
        try Workbench.open(folder, access, nil)
    }

    deinit {
        session.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    @discardableResult
    func run(_ source: String, keepGoing: Bool = false) -> [Outcome] {
        session.outcomes(of: source, keepGoing: keepGoing)
    }

    /// The last statement's output; all statements must succeed.
    @discardableResult
    func output(
        _ source: String, _ location: SourceLocation = #_sourceLocation
    ) throws -> Output {
        let outcomes = run(source)
        for outcome in outcomes {
            if case .failure(let failure) = outcome.result {
                Issue.record("\(failure.rendered())", sourceLocation: location)
                throw failure
            }
        }
        return try #require(try outcomes.last?.result.get(), sourceLocation: location)
    }

    func text(
        _ source: String, _ location: SourceLocation = #_sourceLocation
    ) throws -> String {
        try output(source, location).text.plain
    }

    /// The complete message of a failing statement.
    func complaint(
        _ source: String, _ location: SourceLocation = #_sourceLocation
    ) -> String {
        for outcome in run(source) {
            if case .failure(let failure) = outcome.result { return failure.rendered() }
        }
        Issue.record("this did not fail: \(source)", sourceLocation: location)
        return ""
    }

    func write(_ name: String, _ content: String) throws {
        try Data(content.utf8).write(to: URL(fileURLWithPath: folder + "/" + name))
    }

    func read(_ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name))
    }

    static var hasShippedModel: Bool { ModelFiles.defaultDirectory != nil }
}
