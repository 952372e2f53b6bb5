import Foundation
import TestSupport
import Testing

@testable import Shell

/// `sami notebook`, started as a user or a pipeline starts it.
@Suite(.enabled(if: Program.path != nil, "the program `sami` was not built with the tests"))
struct NotebookProgramTests {
    private static let lesson = """
        # %% [markdown]
        # A lesson.

        # %% tags=["parameters"]
        n = 2

        # %%
        x = n * 21
        x

        """

    private func write(_ text: String, _ name: String, _ folder: TemporaryFolder) throws {
        try text.write(toFile: folder.path + "/" + name, atomically: true, encoding: .utf8)
    }

    private func read(_ name: String, _ folder: TemporaryFolder) throws -> String {
        try String(contentsOfFile: folder.path + "/" + name, encoding: .utf8)
    }

    @Test func `the commands of the page run in their order`() throws {
        let page = try String(
            contentsOfFile: Repository.path("docs/NOTEBOOKS.md"), encoding: .utf8)
        let block = try #require(page.components(separatedBy: "```\n").dropFirst().first)
        let folder = try TemporaryFolder()
        try write(NotebookProgramTests.lesson, "lesson.sami", folder)
        var count = 0
        for line in block.split(separator: "\n") {
            let command = line.prefix { $0 != "#" }.split(separator: " ").map(String.init)
            let run = try Program.run(Array(command.dropFirst()), in: folder.path)
            #expect(run.code == 0, "\(line): \(run)")
            count += 1
        }
        #expect(count == 6)
        #expect(try read("lesson.ipynb", folder).contains("\"42\""))
        #expect(try read("out.ipynb", folder).contains("\"105\""))
    }

    @Test func `the lessons have no mistakes, and the short ones give their stored outputs`() throws
    {
        let folder = Repository.path("notebooks")
        let lessons = try FileManager.default.contentsOfDirectory(atPath: folder)
            .filter { $0.hasSuffix(".ipynb") }.sorted()
        #expect(lessons.count == 5)
        let elsewhere = try TemporaryFolder()
        let paths = lessons.map { folder + "/" + $0 }
        let check = try Program.run(["notebook", "check"] + paths, in: elsewhere.path)
        #expect(check.code == 0, "\(check.output)")
        // The others take half a minute each.
        for path in paths.prefix(3) {
            let run = try Program.run(["notebook", "run", path, "--check"], in: elsewhere.path)
            #expect(run.code == 0, "\(path): \(run.errors)")
        }
    }

    @Test func `a run that gives the same outputs leaves the bytes`() throws {
        let folder = try TemporaryFolder()
        try write(NotebookProgramTests.lesson, "a.sami", folder)
        for arguments in [["convert", "a.sami", "a.ipynb"], ["run", "a.ipynb"]] {
            #expect(try Program.run(["notebook"] + arguments, in: folder.path).code == 0)
        }
        let first = try read("a.ipynb", folder)
        let again = try Program.run(["notebook", "run", "a.ipynb"], in: folder.path)
        #expect(again.code == 0 && again.errors.contains("cell 3 of 3: "), "\(again)")
        #expect(try read("a.ipynb", folder) == first)
        let copied = try Program.run(
            ["notebook", "run", "a.ipynb", "-o", "b.ipynb"], in: folder.path)
        #expect(copied.code == 0)
        #expect(try read("b.ipynb", folder) == first)
        let kept = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            .filter { $0 != ".input" }
        #expect(kept == ["a.ipynb", "a.sami", "b.ipynb"])
    }

    @Test func `an error has its cell and line, the cells before it are kept, and the code is 1`()
        throws
    {
        let folder = try TemporaryFolder()
        try write("# %%\n1 + 1\n\n# %%\ny = 1\nno_such\n\n# %%\n3\n", "a.sami", folder)
        _ = try Program.run(["notebook", "convert", "a.sami", "a.ipynb"], in: folder.path)
        let run = try Program.run(["notebook", "run", "a.ipynb", "--json"], in: folder.path)
        #expect(run.code == 1)
        #expect(run.errors.hasPrefix("a.ipynb: cell 2, line 2: error: "), "\(run)")
        let lines = run.output.split(separator: "\n")
        #expect(
            lines.count == 2
                && lines[0].hasPrefix("{\"cell\":1,\"id\":\"cell-1\",\"status\":\"ok\""))
        #expect(lines[1].contains("\"status\":\"error\""))
        let text = try read("a.ipynb", folder)
        #expect(text.contains("\"2\"") && text.contains("\"output_type\": \"error\""))
        let script = try Program.run(["run", "--ephemeral", "a.ipynb"], in: folder.path)
        #expect(script.code == 1 && script.errors.hasPrefix("a.ipynb: cell 2, line 2: "))
    }

    @Test func `--check compares and writes nothing`() throws {
        let folder = try TemporaryFolder()
        try write(NotebookProgramTests.lesson, "a.sami", folder)
        _ = try Program.run(["notebook", "convert", "a.sami", "a.ipynb"], in: folder.path)
        _ = try Program.run(["notebook", "run", "a.ipynb"], in: folder.path)
        let before = try read("a.ipynb", folder)
        let same = try Program.run(["notebook", "run", "a.ipynb", "--check"], in: folder.path)
        #expect(same.code == 0, "\(same)")
        let other = try Program.run(
            ["notebook", "run", "a.ipynb", "--check", "-p", "n=3"], in: folder.path)
        #expect(other.code == 1)
        #expect(
            other.errors.contains("a.ipynb: cell 4 gave \"63\", and the file has \"42\""),
            "\(other)")
        #expect(try read("a.ipynb", folder) == before)
    }

    @Test(arguments: [
        (["run", "none.ipynb"], "none.ipynb: no such file or directory"),
        (["run", "."], ".: it is a folder"),
        (["check", "bad.ipynb"], "bad.ipynb: it is no notebook"),
        (["run", "python.ipynb"], "python.ipynb: its language is python"),
        (["run", "a.ipynb", "-p", "m=1"], "a.ipynb: there is no parameter `m`"),
        (["run", "a.ipynb", "--echo"], "--echo is for scripts"),
        (["run", "a.ipynb", "--check", "-o", "b.ipynb"], "--check writes nothing"),
        (["run", "a.ipynb", "--timeout", "0"], "--timeout must be"),
        (["convert", "a.sami", "a.ipynb"], "a.ipynb: it is already there; --force replaces it"),
        (["convert", "a.sami", "b.sami"], "b.sami: neither is a notebook"),
        (["convert", "none.sami", "b.ipynb"], "none.sami: no such file or directory"),
        (["run", "a.ipynb", "-o", "no/such/b.ipynb"], "no/such/b.ipynb"),
    ])
    func `a mistake gets a sentence, and nothing is written`(
        arguments: [String], sentence: String
    ) throws {
        let folder = try TemporaryFolder()
        try write(NotebookProgramTests.lesson, "a.sami", folder)
        try write("{\"nb", "bad.ipynb", folder)
        try write(
            #"{"nbformat": 4, "metadata": {"kernelspec": {"language": "python"}}, "cells": []}"#,
            "python.ipynb", folder)
        _ = try Program.run(["notebook", "convert", "a.sami", "a.ipynb"], in: folder.path)
        let before = try read("a.ipynb", folder)
        let run = try Program.run(["notebook"] + arguments, in: folder.path)
        #expect(run.code != 0 && run.errors.contains(sentence), "\(run)")
        #expect(try read("a.ipynb", folder) == before)
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/b.ipynb"))
    }
}
