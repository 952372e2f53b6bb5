import CommandLanguage
import Foundation
import JSON
import Rendering
import Values

extension CommandTable {
    static let editCommand = Command(
        "edit", .memory, "opens a value in your editor, and binds what you write",
        about: """
            The editor is $VISUAL, or else $EDITOR. A text is edited as it is, every other value as \
            JSON, of which you may change whatever `load` reads. The statement in the journal has \
            the new value, so that a replay opens no editor.
            """,
        forms: [
            Command.Form(
                nil, "opens a value in your editor, and binds what you write", effect: .manages,
                operands: [.required("name", .name, "a value of the workspace")],
                example: "edit principles", run: edit),
            Command.Form(
                "json", "binds a value to another of its kind, given in its plain form",
                operands: [
                    .required("name", .name, "a value of the workspace"),
                    .required("value", .value, "what `edit` would show"),
                ],
                example: "edit json principles [{\"principle\": \"Be brief.\", \"antithesis\": "
                    + "\"Be long.\"}]", run: replace),
        ])

    /// Larger values make files that no editor is a help with.
    private static let largest = 8 << 20

    private static func edit(_ invocation: Invocation) throws -> CommandResult {
        let (name, value) = try named(invocation)
        guard let editor = invocation.session.editor else {
            throw invocation.error(
                "`edit` opens an editor, and nobody is at a terminal here",
                suggestion: "edit json \(name) VALUE binds a value without one")
        }
        try invocation.session.requireWritable(at: invocation.call.verb.span)
        let text = try editableText(of: value, name, invocation)
        let folder = NSTemporaryDirectory() + "sami-edit-\(UUID().uuidString)"
        let path = folder + "/" + name + (value.asText == nil ? ".json" : ".txt")
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
            try FileWriting.write(Data(text.utf8), to: path, shown: path)
        } catch {
            throw invocation.located(error)
        }
        while true {
            let complaint: String
            do {
                try editor.open(path)
                let data = try FileReading.data(path, shown: path)
                guard data != Data(text.utf8) else {
                    try? FileManager.default.removeItem(atPath: folder)
                    return CommandResult(note: "`\(name)` is as it was")
                }
                let statement = try statement(binding: name, value, to: data, path)
                try invocation.session.run(
                    script: Data(statement.utf8), file: "edit \(name)", .hidden)
                try? FileManager.default.removeItem(atPath: folder)
                return CommandResult()
            } catch {
                complaint = ErrorSentence.of(error)
            }
            guard editor.asksAgain(complaint) else {
                throw invocation.error(
                    "\(complaint); `\(name)` is as it was, and your text is in \(path)")
            }
        }
    }

    private static func named(_ invocation: Invocation) throws -> (name: String, value: Value) {
        guard let name = try invocation.text("name") else {
            throw invocation.missing("name")
        }
        guard let value = try invocation.session.value(of: name) else {
            throw invocation.located(
                EvaluationError.nothingBound(
                    name, nearest: nearest(name, in: invocation.session.names)), at: "name")
        }
        return (name, value)
    }

    /// A text as it is, or the plain form of any other value that can be made from it again.
    private static func editableText(
        of value: Value, _ name: String, _ invocation: Invocation
    ) throws -> String {
        let text: String
        switch value {
        case .text(let content): text = content
        case .object(let object) where !(object is any EditableObject):
            throw invocation.located(
                EvaluationError.notReplaceable("`\(name)`", fields: []), at: "name")
        case .tensor(let tensor) where tensor.count > 100_000:
            throw invocation.error(
                "`\(name)` is \(value.summary), too much for an editor",
                suggestion: "\(name)[0] = … replaces a part", at: "name")
        default: text = value.prettyJSON + "\n"
        }
        guard text.utf8.count <= largest else {
            throw invocation.error(
                "`\(name)` would be a file of \(NumberText.bytes(text.utf8.count)), too much for an "
                    + "editor", at: "name")
        }
        return text
    }

    /// The statement for the journal. Its value is a literal: JSON is one.
    private static func statement(
        binding name: String, _ old: Value, to data: Data, _ path: String
    ) throws -> String {
        guard let text = String(validating: data, as: UTF8.self) else {
            throw EvaluationError.badFile(path: path, problem: "it is not text in UTF-8")
        }
        if old.asText != nil { return "\(name) = \(quoted(text))" }
        let json: JSON
        do throws(JSON.Problem) {
            json = try JSON.read(text)
        } catch {
            throw EvaluationError.badFile(path: path, problem: "\(error)")
        }
        switch old {
        case .object: return "edit json \(name) \(json.compact)"
        case .tensor: return "\(name) = tensor(\(json.compact))"
        default: return "\(name) = \(json.compact)"
        }
    }

    private static func replace(_ invocation: Invocation) throws -> CommandResult {
        let (name, old) = try named(invocation)
        guard let argument = invocation.argument("value") else {
            throw invocation.missing("value")
        }
        let plain = try invocation.value(argument)
        var result = CommandResult()
        guard case .object(let object) = old else {
            result.bindings = [(name, plain)]
            return result
        }
        guard let editable = object as? any EditableObject else {
            throw invocation.located(
                EvaluationError.notReplaceable("`\(name)`", fields: []), at: "name")
        }
        do {
            result.bindings = [(name, try editable.edited(plain))]
        } catch {
            throw invocation.located(error, at: "value")
        }
        return result
    }
}
