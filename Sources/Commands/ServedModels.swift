import TextModels
import Values

extension CommandContext {
    /// The models that the workspace's names are bound to, with their tokenizers and in the
    /// session's precision: `model` first, then `base`, then the others.
    ///
    /// - Returns: also sentences about models that cannot read and write text.
    package func textModels() throws -> (models: [NamedTextModel], notes: [String]) {
        let bound = workspace.names.filter { $0.kind == ModelObject.kind }.map(\.name)
        let first = ["model", "base"].filter(bound.contains)
        let own = try value(of: "tokenizer")?.object(TokenizerObject.self)?.tokenizer
        var models: [NamedTextModel] = []
        var notes: [String] = []
        for name in first + bound.filter({ !first.contains($0) && !$0.hasPrefix(".") }) {
            do {
                guard let object = try value(of: name)?.object(ModelObject.self) else { continue }
                guard let tokenizer = object.tokenizer ?? own else {
                    notes.append("`\(name)` has no tokenizer, so it cannot write text")
                    continue
                }
                let model = object.computed(in: settings.statementPrecision)
                models.append((name, try model.textModel(tokenizer)))
            } catch {
                notes.append("`\(name)` is left out: \(ErrorSentence.of(error))")
            }
        }
        return (models, notes)
    }
}
