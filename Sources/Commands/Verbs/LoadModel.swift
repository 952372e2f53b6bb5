import CommandLanguage
import Foundation
import NumberTypes
import TextModels
import Values

extension CommandTable {
    static let loadModelForm = Command.Form(
        "model", "reads a model directory", makes: ["model", "base"],
        operands: [
            .required(
                "path",
                .either([Choice("default", "the model that ships with sami")], .path),
                "a Hugging Face directory, or a workspace value in parentheses")
        ],
        options: [
            OptionSpecification(
                "dtype",
                .words([
                    Choice("stored", "the type in the file (default)"),
                    Choice("float32", "four bytes a weight", otherSpellings: ["f32", "fp32"]),
                    Choice(
                        "bfloat16", "two bytes, the range of float32", otherSpellings: ["bf16"]),
                    Choice(
                        "float16", "two bytes, more precise, smaller range",
                        otherSpellings: ["f16", "fp16", "half"]),
                ]), "the type of the weights in memory; arithmetic is float32"),
            OptionSpecification(
                "rotary",
                .words([
                    Choice("exact", "as the configuration says (default)"),
                    Choice("bfloat16", "as in a model that PyTorch has cast as a whole"),
                ]), "the precision of the rotary frequencies"),
            OptionSpecification("as", .name, "a name for it in place of `model`"),
            OptionSpecification(
                "prompts",
                .either(
                    [
                        Choice("tiny", "the shipped model's format"),
                        Choice("general", "plain instructions, for base models"),
                        Choice("chat", "messages, through the model's chat template"),
                    ], .path),
                "prompt templates: a prompts.json or a folder of .txt files; chat if the model has "
                    + "a chat template, else general"),
            OptionSpecification(
                "template", .text, "the chat template's name, if there are several"),
            OptionSpecification(
                "date", .text,
                "the day that the chat template is told, if it asks; default: 2024-07-26"),
            OptionSpecification(
                "join", .text,
                "the separator between prompt and response; a blank"),
        ],
        example: "load model default", run: loadModel)

    private static func loadModel(_ invocation: Invocation) throws -> CommandResult {
        guard let argument = invocation.argument("path") else { return CommandResult() }
        var object: ModelObject
        switch try invocation.value(argument) {
        case .object(let value as ModelObject): object = value
        case .text(let path):
            object = try loadModel(path, argument, invocation)
        case let value:
            throw invocation.located(
                EvaluationError.wrongKind(
                    role: "`path`", expected: "`default`, a folder or a model", found: value.aKind),
                at: "path")
        }
        if let text = try invocation.text("prompts") {
            switch text {
            case "tiny": object.prompts = .tiny
            case "general": object.prompts = .general
            case "chat": object.prompts = .chat
            default:
                do {
                    object.prompts = try PromptFiles.read(
                        Paths.absolute(text, in: invocation.session.directory), shown: text)
                } catch {
                    throw invocation.located(error, at: "prompts")
                }
            }
        }
        if let type = try invocation.text("dtype").flatMap(DType.init(rawValue:)) {
            object = object.with(object.model.converted(to: type), origin: object.origin)
        }
        if try invocation.text("rotary") == "bfloat16" {
            object = object.with(try object.model.roundingRotary(), origin: object.origin)
        }
        if let separator = try invocation.text("join") { object.prompts.separator = separator }
        try setChatTemplate(of: &object, invocation)
        var result = CommandResult(value: .object(object))
        if let name = try invocation.text("as") {
            result.bindings = [(name, .object(object))]
        } else if invocation.target != nil {
            result.bindings = [("model", .object(object))]
        } else {
            result.bindings = [("model", .object(object)), ("base", .object(object))]
        }
        return result
    }

    /// Reads `template` and `date`, and tries the chat template if the prompts need it.
    private static func setChatTemplate(
        of object: inout ModelObject, _ invocation: Invocation
    ) throws {
        if let name = try invocation.text("template") { object.template = name }
        if let text = try invocation.text("date") {
            guard let date = TemplateDate(text) else {
                throw invocation.error(
                    "`date` is a day such as \(TemplateDate().text), not "
                        + Value.text(text).summary, at: "date")
            }
            object.date = date
        }
        do {
            if invocation.has("template") { _ = try object.chatFormat() }
            _ = try object.promptFormat()
        } catch {
            let role = ["template", "prompts"].first { invocation.has($0) } ?? "path"
            var suggestion = "prompts=general prompts it with plain text"
            if case ChatFormatError.noTemplate(_, let known) = error, let first = known.first {
                suggestion = "template=\"\(first)\" takes that one, and " + suggestion
            }
            throw invocation.error(ErrorSentence.of(error), suggestion: suggestion, at: role)
        }
    }

    private static func loadModel(
        _ path: String, _ argument: Argument, _ invocation: Invocation
    ) throws -> ModelObject {
        do {
            if case .word("default") = argument.value {
                guard let directory = ModelFiles.defaultDirectory else {
                    throw EvaluationError.other(
                        "the model that ships with sami is missing",
                        suggestion: "set SAMI_MODELS to its folder")
                }
                var object = try ModelFiles.load(directory, shown: directory)
                invocation.noteFiles(of: directory)
                object.origin = "default"
                // A model in training has no prompts.json yet.
                let own = directory + "/" + ModelFiles.promptsFile
                if !FileManager.default.fileExists(atPath: own) { object.prompts = .tiny }
                return object
            }
            let directory = Paths.absolute(path, in: invocation.session.directory)
            if !FileManager.default.fileExists(atPath: directory) {
                if let name = hubName(path, directory) {
                    throw EvaluationError.other(
                        "there is no folder \(path) here; a model of the Hugging Face Hub is "
                            + "downloaded first",
                        suggestion: "in a shell: hf download \(path) --local-dir \(name)")
                }
                if let near = nearest(path, in: ["default"]) {
                    throw EvaluationError.other(
                        "there is no folder \(path)", suggestion: "did you mean `\(near)`?")
                }
                if path.lowercased().hasSuffix(".gguf") || path.contains("/") {
                    _ = try FileReading.data(directory, shown: path)
                }
                throw EvaluationError.other(
                    "there is no folder \(path) here; a model is a folder in Hugging Face form",
                    suggestion: "in a shell: hf download \(path) --local-dir \(path)")
            }
            var object = try ModelFiles.load(directory, shown: path)
            if object.model.weightBytes > invocation.session.settings.snapshotLimit {
                object.weightSource = try WeightSource(object.model, path: directory)
            }
            invocation.noteFiles(of: directory)
            return object
        } catch {
            throw invocation.located(error, at: "path")
        }
    }

    /// The name of a model, if a missing path looks like its id on the Hub (`owner/name`), and no
    /// folder is called like the owner.
    private static func hubName(_ path: String, _ directory: String) -> String? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let isName = { (part: Substring) in
            part.first.map { $0.isLetter || $0.isNumber } == true
                && part.allSatisfy {
                    $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0))
                }
        }
        guard parts.count == 2, parts.allSatisfy(isName),
            !FileManager.default.fileExists(
                atPath: (directory as NSString).deletingLastPathComponent)
        else { return nil }
        return String(parts[1])
    }
}
