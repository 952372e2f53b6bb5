import Foundation
import Tensors

/// A Hugging Face model directory: `config.json` and `model.safetensors`.
public enum ModelDirectory {
    public static let configurationFile = "config.json"
    public static let weightsFile = "model.safetensors"

    /// Reads configuration and weights. Throws `ModelError`.
    public static func load(_ directory: String) throws -> LanguageModel {
        let configuration = try configuration(directory)
        let path = file(weightsFile, in: directory)
        let archive = try SafeTensors(path: path)
        var tensors: [String: Tensor] = [:]
        for name in archive.entries.keys { tensors[name] = archive.tensor(name) }
        return try LanguageModel(configuration, tensors: tensors, source: path)
    }

    public static func configuration(_ directory: String) throws -> ModelConfiguration {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: directory, isDirectory: &isDirectory) else {
            throw ModelError.unreadable(file: directory, problem: "there is no such folder")
        }
        guard isDirectory.boolValue else {
            throw ModelError.unreadable(
                file: directory, problem: "it is a file, not a model folder")
        }
        let path = file(configurationFile, in: directory)
        let json: Data
        do {
            json = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw ModelError.unreadable(
                file: path, problem: (error as NSError).localizedDescription)
        }
        return try ModelConfiguration(json: json, name: path)
    }

    /// Writes both files, each aside first and then renamed.
    public static func write(_ model: LanguageModel, to directory: String) throws {
        let tensors = zip(model.parameters.names, model.parameters.tensors)
            .map { (name: $0, tensor: $1) }
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true)
            try model.configuration.json.write(
                to: URL(fileURLWithPath: file(configurationFile, in: directory)),
                options: .atomic)
            try SafeTensors.encode(tensors).write(
                to: URL(fileURLWithPath: file(weightsFile, in: directory)), options: .atomic)
        } catch {
            throw ModelError.unwritable(
                file: directory, problem: (error as NSError).localizedDescription)
        }
    }

    private static func file(_ name: String, in directory: String) -> String {
        (directory as NSString).appendingPathComponent(name)
    }
}
