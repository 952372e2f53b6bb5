import CommandLanguage
import Foundation
import Rendering
import Values
import Workspaces

extension CommandTable {
    static let loadTensorForm = Command.Form(
        "tensor", "reads numbers: .npy, .safetensors, .h5, .csv or .json", makes: ["tensor"],
        operands: [
            .required("path", .path, "a file; several tensors in it become a record of tensors")
        ],
        options: [
            OptionSpecification("name", .word, "the only tensor of the file to read; all of them")
        ],
        example: "load tensor x.npy", run: loadTensor)

    private static func loadTensor(_ invocation: Invocation) throws -> CommandResult {
        guard let shown = try invocation.text("path"), let path = try invocation.path("path") else {
            return CommandResult()
        }
        do {
            let file = try TensorFile(path, shown: shown, name: try invocation.text("name"))
            invocation.noteFile(path)
            var notes: [String] = []
            if let rounded = file.rounded {
                notes.append(
                    "\(NumberText.count(rounded.count, "value")) of type \(rounded.type) "
                        + (rounded.count == 1 ? "is" : "are") + " rounded to float32")
            }
            var result = CommandResult()
            result.bindings = [("tensor", file.value)]
            result.notes = notes
            return result
        } catch let error as LocatedError {
            throw error
        } catch {
            let isAboutName = if case EvaluationError.unknownField = error { true } else { false }
            throw invocation.located(
                FileReading.naming(shown, error), at: isAboutName ? "name" : "path")
        }
    }
}

extension TensorFile {
    /// The only tensor, or a record of tensors.
    var value: Value {
        if tensors.count == 1 { return .tensor(tensors[0].tensor) }
        var record = Record()
        for (name, tensor) in tensors { record[name ?? "array"] = .tensor(tensor) }
        return .record(record)
    }
}
