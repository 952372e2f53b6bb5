import CommandLanguage
import Rendering
import Transformers
import Values

/// Adapters in the files of PEFT.
extension CommandTable {
    static let loadAdapterForm = Command.Form(
        "adapter", "reads a LoRA adapter of PEFT onto `model`", makes: ["model"],
        operands: [
            .required(
                "path", .path, "a folder with adapter_config.json and adapter_model.safetensors")
        ],
        options: [MethodKey.model],
        example: "load adapter adapter model=base", run: loadAdapter)

    private static func loadAdapter(_ invocation: Invocation) throws -> CommandResult {
        guard let shown = try invocation.text("path"), let path = try invocation.path("path") else {
            return CommandResult()
        }
        let object = try invocation.model()
        if object.model.configuration.adapter != nil {
            let name = invocation.written("model") ?? "model"
            throw invocation.error(
                "`\(name)` has adapters already",
                suggestion: "merge, or load onto another: load adapter \(shown) model=base")
        }
        let loaded: AdapterDirectory.Loaded
        do {
            loaded = try AdapterDirectory.load(path, onto: object.model)
        } catch {
            throw invocation.located(error, at: "path")
        }
        for file in [AdapterDirectory.configurationFile, AdapterDirectory.weightsFile] {
            invocation.noteFile(path + "/" + file)
        }
        var notes: [String] = []
        if let base = loaded.baseName, !base.isEmpty,
            lastPart(base) != lastPart(object.origin)
        {
            notes.append(
                "the adapter calls its base \(base); it fits this model (\(object.origin)) by "
                    + "names and shapes")
        }
        if loaded.dropout > 0 {
            notes.append(
                "PEFT drops \(NumberText.percent(loaded.dropout, decimals: 0)) of the adapters' "
                    + "inputs while it trains (lora_dropout); training here drops none")
        }
        return CommandResult(
            "model", object.with(loaded.model, origin: "\(object.origin), adapter \(shown)"),
            notes: notes)
    }

    private static func lastPart(_ path: String) -> Substring {
        path.split(separator: "/").last ?? ""
    }

    static let exportAdapterForm = Command.Form(
        "adapter", "writes the adapters of `model` in the files of PEFT", effect: .looks,
        operands: [.required("path", .path, "a folder")],
        options: [
            MethodKey.model,
            OptionSpecification(
                "base_name", .text,
                "the base in the files; default: where it was loaded"),
        ],
        example: "export adapter adapter", run: exportAdapter)

    private static func exportAdapter(_ invocation: Invocation) throws -> CommandResult {
        guard let shown = try invocation.text("path"),
            let path = try invocation.writablePath("path")
        else { return CommandResult() }
        let object = try invocation.adaptedModel()
        try invocation.requireOtherFolder(than: path, shown: shown)
        let origin =
            object.weightSource?.path ?? object.origin.split(separator: ",")
            .first.map(String.init) ?? ""
        do {
            try AdapterDirectory.write(
                object.model, to: path, base: try invocation.text("base_name") ?? origin)
        } catch {
            throw invocation.located(error, at: "path")
        }
        return CommandResult(
            text: StyledText(
                "wrote \(shown)/, \(NumberText.bytes(object.model.parameters.trainable.bytes))"))
    }
}
