import CommandLanguage
import Foundation
import HDF5Objects
import LongWork
import Rendering
import Tensors
import Transformers
import Values

extension CommandTable {
    static let exportCommand = Command(
        "export", .data, "writes a value to a file; the file name's extension gives the format",
        about: """
            .safetensors, .npy and .h5 hold arrays, .json and .jsonl plain values, .csv tables, \
            .txt a text, .svg and .png pictures, .html a page that shows the value, of rollouts \
            their token strips, and needs no other file. A model goes into a folder in Hugging Face form. \
            In .csv and .jsonl verdicts, loss, logprobs and log have one row an item, with the ids \
            of its query and constitution; `export logprobs.per_token FILE.csv` has one row a \
            token. `load tensor` reads arrays again, `load table` rows, `load text` a text; \
            queries, principles, constitutions, rollouts, a tokenizer and a model's folder have \
            forms of `load` of their own. Gradients, an optimizer's moments, verdicts, loss and log \
            come back as plain records and tensors.
            """,
        forms: [
            Command.Form(
                nil, "writes a value to a file", effect: .looks,
                operands: [
                    .required("value", .value, "a name or an expression"),
                    .required("path", .path, "a file, or for a model a folder"),
                ],
                example: "export logprobs logprobs.json", run: export),
            exportAdapterForm,
            exportAnswersForm,
        ])

    private static func export(_ invocation: Invocation) throws -> CommandResult {
        guard let argument = invocation.argument("value"), let shown = try invocation.text("path"),
            let path = try invocation.writablePath("path")
        else { return CommandResult() }
        let value = try invocation.value(argument)
        let name = exportName(argument, value)
        let written = (shown as NSString).pathExtension.lowercased()
        if let refusal = Export.refusal(of: value, as: written) {
            throw invocation.located(refusal, at: "path")
        }
        if let model = value.object(ModelObject.self), isFolder(shown, path) {
            guard model.model.configuration.adapter == nil else {
                throw invocation.error(
                    "this model has adapters, and a folder in Hugging Face form has no place for "
                        + "them",
                    suggestion: "export adapter \(shown), or merge first", at: "value")
            }
            try invocation.requireOtherFolder(than: path, shown: shown)
            var meter = invocation.meter()
            defer { meter.finish() }
            let size = Double(model.model.weightBytes) / 1e6
            do {
                try ModelFiles.write(model, to: path) { share in
                    meter.update(Int(share * size), of: Int(size), unit: "MB")
                    return invocation.cancel()
                }
            } catch is Canceled {
                throw invocation.located(
                    EvaluationError.interrupted("stopped before \(shown)/ was complete"),
                    at: "path")
            } catch {
                throw invocation.located(error, at: "path")
            }
            return CommandResult(text: StyledText("wrote \(shown)/"))
        }
        let format = FileReading.format(of: shown)
        do {
            switch format {
            case "svg", "png":
                let source = Picture.Source(
                    name: invocation.written("value") ?? value.kind, value: value,
                    argument: argument)
                try invocation.write(
                    try Picture(of: source, invocation), to: path, shown: shown)
            case "html":
                let page = HTMLPage(
                    title: invocation.written("value") ?? value.kind,
                    body: try CommandTable.body(of: value, invocation))
                try FileWriting.write(Data(page.text.utf8), to: path, shown: shown)
            case "h5":
                let object = StoredObject(kind: value.kind, value: try value.namedStored(name))
                let folder = (path as NSString).deletingLastPathComponent
                guard FileManager.default.fileExists(atPath: folder) else {
                    throw EvaluationError.notWritable(shown, reason: "there is no folder \(folder)")
                }
                try object.write(to: path)
            default:
                guard let data = try Export.writers[format]?(value, name) else {
                    throw EvaluationError.unknownExtension(
                        (shown as NSString).pathExtension.lowercased(), kind: value.aKind,
                        known: Export.fitting(value, name))
                }
                try FileWriting.write(data, to: path, shown: shown)
            }
        } catch let error as LocatedError {
            throw error
        } catch {
            throw invocation.located(error, at: "path")
        }
        let size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? NSNumber
        var result = CommandResult(
            text: StyledText("wrote \(shown), \(NumberText.bytes(size?.intValue ?? 0))"))
        result.notes = [Export.remark(on: value, as: format)].compactMap(\.self)
        return result
    }

    /// Token strips of more responses than this are left out of a page.
    private static let mostStrips = 64

    /// The HTML that a notebook shows for a value; of rollouts their token strips.
    private static func body(of value: Value, _ invocation: Invocation) throws -> String {
        if let strips = try strips(of: value, count: mostStrips, invocation) {
            return strips.displays.compactMap { $0.html?() }.joined()
        }
        let display = value.display(Appearance(width: 100))
        return (display.html?() ?? display.text().html) + (display.svg?() ?? "")
    }

    /// A model is exported to a folder, unless the file's extension asks for its tensors or its
    /// description.
    private static func isFolder(_ shown: String, _ path: String) -> Bool {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) {
            return isFolder.boolValue
        }
        return !Export.ofModels.contains(FileReading.format(of: shown))
    }

    /// The name of a tensor in the file: its own name, or the name of its kind.
    private static func exportName(_ argument: Argument, _ value: Value) -> String {
        if case .expression(let node) = argument.value, case .name(let name) = node.expression,
            name != "_"
        {
            return name
        }
        return value.kind
    }
}

extension Value {
    /// The stored form, with arrays under their own names: the content of `export NAME FILE.h5`.
    fileprivate func namedStored(_ name: String) throws -> StoredValue {
        switch self {
        case .object(let gradients as GradientsObject):
            return try Value.record(gradients.tensorRecord).storedObject().value
        case .object(let model as ModelObject):
            let plain = model.tensorRecord.mapValues { value in
                value.asTensor.map { .tensor($0.plain) } ?? value
            }
            return try Value.record(plain).storedObject().value
        default:
            if let tensor = asTensor {
                return .record(StoredRecord([(name, .array(try StoredArray(tensor)))]))
            }
            if case .object(let object) = self { return try object.jsonValue.storedObject().value }
            return try storedObject().value
        }
    }
}
