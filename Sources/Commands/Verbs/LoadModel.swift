import CommandLanguage
import Foundation
import LongWork
import NumberTypes
import Rendering
import Tensors
import TextModels
import Transformers
import Values

extension CommandTable {
    static let loadModelForm = Command.Form(
        "model", "reads a model", makes: ["model", "base"],
        operands: [
            .required(
                "path",
                .either(
                    [
                        Choice("default", "the model that ships with sami"),
                        Choice("smollm2", "the model that scripts/get-smollm2 brings"),
                    ], .path),
                "a Hugging Face directory, a GGUF file, a model of the Hub in its local cache "
                    + "(owner/name, owner/name@revision), or a workspace value in parentheses")
        ],
        options: [
            OptionSpecification(
                "dtype",
                .words([
                    Choice(
                        "stored",
                        "as in the file (default); bfloat16 for weights quantized otherwise than Q8_0"
                    ),
                    Choice("float32", "four bytes a weight", otherSpellings: ["f32", "fp32"]),
                    Choice(
                        "bfloat16", "two bytes, the range of float32", otherSpellings: ["bf16"]),
                    Choice(
                        "float16", "two bytes, more precise, smaller range",
                        otherSpellings: ["f16", "fp16", "half"]),
                    Choice(
                        "q8_0", "one byte, and a scale for 32 of them, as in GGUF files",
                        otherSpellings: ["q8"]),
                ]), "how the weights are kept in memory; sums are float32"),
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
        let format = try invocation.text("dtype").flatMap { word in
            word == "q8_0" ? StoredFormat.q80 : StoredFormat(name: word)
        }
        var object: ModelObject
        switch try invocation.value(argument) {
        case .object(let value as ModelObject): object = value
        case .text(let path):
            object = try loadModel(path, argument, format, invocation)
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
        var notes: [String] = []
        if let format {
            object = object.with(object.model.converted(to: format), origin: object.origin)
            object.checkpointFormat = nil
            if format == .q80 { notes = object.model.blockNotes }
        }
        if try invocation.text("rotary") == "bfloat16" {
            object = object.with(try object.model.roundingRotary(), origin: object.origin)
        }
        if let separator = try invocation.text("join") { object.prompts.separator = separator }
        try setChatTemplate(of: &object, invocation)
        var result = CommandResult(value: .object(object), notes: notes)
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
        _ path: String, _ argument: Argument, _ format: StoredFormat?, _ invocation: Invocation
    ) throws -> ModelObject {
        do {
            let directory = invocation.session.directory
            let word = try invocation.word(argument)
            if word == "smollm2",
                try ModelSource(path, in: directory) == nil
            {
                guard let file = SmolLM2.file else { throw SmolLM2.missing }
                return try loadGGUF(ModelSource(gguf: file, shown: "smollm2"), format, invocation)
            }
            if word == "default" {
                let folder = try ModelFiles.shipped()
                var object = try ModelFiles.load(folder, shown: folder)
                invocation.noteFiles(of: folder)
                object.origin = "default"
                // A model in training has no prompts.json yet.
                let own = folder + "/" + ModelFiles.promptsFile
                if !FileManager.default.fileExists(atPath: own) { object.prompts = .tiny }
                return object
            }
            guard let source = try ModelSource(path, in: directory) else {
                throw missingModel(path, invocation)
            }
            if source.form == .gguf { return try loadGGUF(source, format, invocation) }
            var object = try ModelFiles.load(source.path, shown: source.shown, as: format)
            if object.model.weightBytes > invocation.session.settings.snapshotLimit {
                object.weightSource = try WeightSource(
                    object.model, path: source.path, as: format)
            }
            invocation.noteFiles(of: source.path)
            return object
        } catch {
            throw invocation.located(error, at: "path")
        }
    }

    private static func loadGGUF(
        _ source: ModelSource, _ format: StoredFormat?, _ invocation: Invocation
    ) throws -> ModelObject {
        var meter = invocation.meter()
        defer { meter.finish() }
        var object: ModelObject
        do {
            object = try ModelFiles.load(gguf: source.path, shown: source.shown, as: format) {
                share in
                meter.update(Int(share * 100), of: 100, unit: Progress.percent)
                return invocation.cancel()
            }
        } catch is Canceled {
            throw EvaluationError.interrupted("stopped before \(source.shown) was read")
        }
        if object.model.weightBytes > invocation.session.settings.snapshotLimit {
            object.weightSource = try WeightSource(object.model, path: source.path, as: format)
        }
        invocation.noteFile(source.path)
        return object
    }

    /// The sentence for a path that does not exist and no name of a model in the cache of the Hub.
    private static func missingModel(_ path: String, _ invocation: Invocation) -> EvaluationError {
        if let name = hubName(path, in: invocation.session.directory) {
            return .other(
                "there is no folder \(path) here, and the cache of the Hugging Face Hub does not "
                    + "hold that model",
                suggestion: name.download)
        }
        if let near = nearest(path, in: ["default", "smollm2"]) {
            return .other("there is no folder \(path)", suggestion: "did you mean `\(near)`?")
        }
        if path.lowercased().hasSuffix(".gguf") || path.contains("/") {
            let absolute = Paths.absolute(path, in: invocation.session.directory)
            do throws(EvaluationError) {
                _ = try FileReading.data(absolute, shown: path)
            } catch {
                return error
            }
        }
        return .other(
            "there is no folder \(path) here; a model is a folder in Hugging Face form, a GGUF "
                + "file, or a name of the Hub",
            suggestion: "in a shell: hf download \(path)")
    }

    /// The name, if a missing path looks like one of the Hub (`owner/name`), and no folder is
    /// called like the owner.
    static func hubName(_ path: String, in directory: String) -> HubCache.Name? {
        let folder = (Paths.absolute(path, in: directory) as NSString).deletingLastPathComponent
        guard let name = HubCache.Name(path), name.model.contains("/"),
            !path.lowercased().hasSuffix(".gguf"),
            !FileManager.default.fileExists(atPath: folder)
        else { return nil }
        return name
    }
}

extension LanguageModel {
    /// A note on matrices that were to be in blocks and are not. Vectors never are.
    fileprivate var blockNotes: [String] {
        let matrices = parameters.tensors.filter { $0.shape.count > 1 }
        let others = matrices.count { $0.format != .q80 }
        guard others > 0 else { return [] }
        return [
            "kept as they were: \(others) of \(NumberText.count(matrices.count, "matrix", "matrices")), "
                + "with fewer than 32 rows or with rows that are no whole blocks of 32"
        ]
    }
}
