import Foundation
import TestSupport
import Testing
import TextModels

@testable import Commands
@testable import Values

/// A `prompts.json` that was written is read back, and each fault is named with its place.
@Suite struct PromptFileTests {
    private func read(_ text: String) throws -> Prompts {
        let folder = try TemporaryFolder()
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/p.json"))
        return try PromptFiles.read(folder.path + "/p.json", shown: "p.json")
    }

    @Test func `prompts that were written are read back`() throws {
        var prompts = Prompts.general
        prompts.separator = "\n\t\"é\u{1F600}\" "
        prompts.stops = ["{", "\\", ""]
        for prompts in [prompts, .tiny] {
            #expect(try read(PromptFiles.json(prompts)) == prompts)
        }
    }

    @Test func `the file of the shipped model holds the prompts named tiny`() throws {
        let path = Repository.path("models/tiny/prompts.json")
        #expect(try PromptFiles.read(path, shown: "prompts.json") == .tiny)
    }

    @Test(arguments: [
        (#""stops":"#, #""stop":"#, "stops: it is missing"),
        (#""cue":"#, #""hint": "", "cue":"#, "\"post.hint\" is unknown; the keys there are"),
        (#""joint":"#, #""Joint": "", "joint":"#, "\"Joint\" is unknown; the keys there"),
        (#""POST""#, "7", "post.label: a text was expected, not a number"),
        (#""principles""#, #""writer""#, "writer.purpose: \"writer\" is none of response,"),
        ("{query}", "{quarry}", "rollout: Line"),
        ("[", "", "it is not JSON: line"),
        ("{", "[[[[[[[[[[[[[[[[[[", "it is not JSON: line 1, column 17: it is nested more"),
    ])
    func `a fault is named with its place`(from: String, to: String, expected: String) throws {
        let text = try PromptFiles.json(.general)
        let place = try #require(text.range(of: from))
        let error = #expect(throws: EvaluationError.self) {
            try read(text.replacingCharacters(in: place, with: to))
        }
        let sentence = "\(try #require(error))"
        #expect(sentence.hasPrefix("p.json: \(expected)"), "\(sentence)")
    }
}
