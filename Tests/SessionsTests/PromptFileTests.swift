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
        for prompts in [prompts, .tiny, .chat] {
            #expect(try read(PromptFiles.json(prompts)) == prompts)
        }
    }

    @Test func `what an editor adds to a template file is not part of the prompt`() throws {
        let folder = try TemporaryFolder()
        let bytes: [UInt8] =
            [0xEF, 0xBB, 0xBF] + Array("Obey:\r\n{constitution}\r\n{text}\r\n".utf8)
        let file = URL(fileURLWithPath: folder.path + "/training.txt")
        try Data(bytes).write(to: file)
        let read = try PromptFiles.read(folder.path, shown: "folder")
        #expect(
            try read.training == PromptTemplate("Obey:\n{constitution}\n{text}", for: .response))
        try Data([0x7B, 0xFF]).write(to: file)
        let error = #expect(throws: EvaluationError.self) {
            try PromptFiles.read(folder.path, shown: "folder")
        }
        #expect("\(try #require(error))" == "folder/training.txt: it is not text in UTF-8")
    }

    @Test(arguments: [
        (#""user""#, #""human""#, #"training.messages[0].role: "human" is none of system, user"#),
        (#""user""#, #""system""#, "training: The last message must be the user's"),
        ("{constitution}", "", "training: The template needs the placeholder {constitution}"),
        ("{text}", "{quarry}", "training: In messages[0]: Line 1 of the template has"),
        (#""role""#, #""rule": "", "role""#, #""training.messages[0].rule" is unknown"#),
    ])
    func `a fault in messages is named with its place`(
        from: String, to: String, expected: String
    ) throws {
        let text = try PromptFiles.json(.chat)
        let training = try #require(text.range(of: "\"training\""))
        let place = try #require(text.range(of: from, range: training.lowerBound..<text.endIndex))
        let error = #expect(throws: EvaluationError.self) {
            try read(text.replacingCharacters(in: place, with: to))
        }
        let sentence = "\(try #require(error))"
        #expect(sentence.hasPrefix("p.json: \(expected)"), "\(sentence)")
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
