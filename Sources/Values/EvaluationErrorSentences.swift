import CommandLanguage
import Rendering
import Tensors

/// Phrases that several sentences use.
package enum Sentence {
    private static let plural: Set<String> = [
        "queries", "constitutions", "principles", "rollouts", "logprobs", "gradients", "verdicts",
        "null", "text",
    ]

    package static func withArticle(_ kind: String) -> String {
        if plural.contains(kind) { return kind }
        let vowels: Set<Character> = ["a", "e", "i", "o", "u"]
        return (kind.first.map(vowels.contains) == true ? "an " : "a ") + kind
    }

    /// "`a`, `b` or `c`", at most eight of them.
    package static func alternatives(_ names: [String]) -> String {
        let shown = names.prefix(8).map { "`\($0)`" }
        guard let last = shown.last, shown.count > 1 else { return shown.first ?? "nothing" }
        if names.count > shown.count { return shown.joined(separator: ", ") + ", …" }
        return shown.dropLast().joined(separator: ", ") + " or " + last
    }

    static func didYouMean(_ name: String?) -> String? { name.map { "did you mean `\($0)`?" } }
}

extension EvaluationError: CustomStringConvertible {
    package var description: String { message }

    /// The fault, without a full stop.
    package var message: String {
        switch self {
        case .unknownName(let name, _, _): "there is no value called `\(name)`"
        case .noLastResult: "`_` is the last result, and there is none yet"
        case .missingObject(let object, let verb, _):
            "`\(verb)` needs `\(object)`, and the workspace has none"
        case .unknownField(let name, let owner, _, _): "\(owner) has no field `\(name)`"
        case .nothingBound(let name, _): "there is no value called `\(name)`"
        case .unknownTopic(let name, _): "there is no help on `\(name)`"
        case .indexOutOfRange(let index, let count, let what):
            count == 0
                ? "index \(index) is out of range: \(what) is empty"
                : "index \(index) is out of range: \(what) has \(NumberText.count(count, "item")), "
                    + (count == 1 ? "number 0" : "0 to \(count - 1)")
        case .unknownKey(let name, _, _): "the record has no field \(Value.text(name).summary)"
        case .unknownItem(let id, let owner, _, _):
            "no item of `\(owner)` has the id \(Value.text(id).summary)"
        case .zeroStep: "a slice cannot step by 0"
        case .tooManySubscripts(let given, let shape):
            "\(given) indexes are too many for a tensor of shape \(TensorText.shape(shape))"
        case .notIndexable(let what): "\(what) cannot be indexed"
        case .notWhole(let role, let found): "\(role) must be a whole number, not \(found)"
        case .shapesDiffer(let operation, let left, let right):
            "`\(operation)` cannot combine shapes \(TensorText.shape(left)) and "
                + TensorText.shape(right)
        case .productShapes(let left, let right):
            "`@` cannot multiply shapes \(TensorText.shape(left)) and \(TensorText.shape(right))"
        case .axisOutOfRange(let axis, let shape):
            "there is no axis \(axis) in shape \(TensorText.shape(shape))"
        case .reshapeCount(let from, let to):
            "shape \(TensorText.shape(from)) cannot become \(TensorText.shape(to)): "
                + "\(from.reduce(1, *)) values are not \(to.reduce(1, *))"
        case .raggedList: "these lists differ in length or kind, so they cannot form a tensor"
        case .tooLarge(let shape):
            "shape \(TensorText.shape(shape)) is larger than the limit for a tensor, "
                + "\(NumberText.grouped(Limits.current.count)) values (`set tensor_limit=`)"
        case .tooLong(let count):
            "\(NumberText.grouped(count)) items are more than the limit for a list, "
                + NumberText.grouped(Limits.listCount)
        case .badOperands(let operation, let left, let right):
            "`\(operation)` cannot take \(left) and \(right)"
        case .listArithmetic(let operation, let other):
            "`\(operation)` cannot take a list and \(other)"
        case .wrongKind(let role, let expected, let found):
            "\(role) must be \(expected), not \(found)"
        case .outOfRange(let role, let rule, let found): "\(role) must be \(rule), not \(found)"
        case .notATruthValue(let found): "true or false was expected, not \(found)"
        case .missingArgument(let function, let parameter): "`\(function)` needs `\(parameter)`"
        case .tooManyArguments(let function, let most):
            "`\(function)` takes at most \(NumberText.count(most, "value"))"
        case .unknownParameter(let function, let key, _, _): "`\(function)` has no key `\(key)`"
        case .emptyReduction(let function): "`\(function)` needs at least one value"
        case .divisionByZero: "this divides by zero"
        case .notReplaceable(let part, _): "\(part) cannot be replaced"
        case .missingFile(let path, _): "there is no file \(path)"
        case .isFolder(let path): "\(path) is a folder, and a file was expected"
        case .emptyFile(let path): "\(path) is empty"
        case .notReadable(let path, let reason): "\(path) cannot be read: \(reason)"
        case .notWritable(let path, let reason): "\(path) cannot be written: \(reason)"
        case .alreadyThere(let path): "\(path) is already there"
        case .badLine(let path, let line, let problem): "\(path), line \(line): \(problem)"
        case .badFile(let path, let problem): "\(path): \(problem)"
        case .unknownExtension(let name, let kind, _):
            name.isEmpty
                ? "the file name has no extension to give the format"
                : "\(kind) cannot be written as `.\(name)`"
        case .readOnly: "the workspace is open for reading only, so nothing can be changed"
        case .interrupted(let what), .tooMuchWork(let what): what
        case .inFunction(let name, let what): "in `\(name)`: \(what)"
        case .unknownFunction(let name, _): "there is no function `\(name)`"
        case .notKept(let name, let reason): "the value of `\(name)` is not there: \(reason)"
        case .other(let message, _): message
        }
    }

    /// The remedy.
    package var suggestion: String? {
        switch self {
        case .unknownName(let name, let nearest, let maker):
            maker.map { "make it first: \($0)" } ?? ForeignWord.advice(name)
                ?? Sentence.didYouMean(nearest)
        case .missingObject(_, _, let maker): maker.map { "make it first: \($0)" }
        case .unknownField(_, _, let nearest, let fields):
            Sentence.didYouMean(nearest)
                ?? (fields.isEmpty ? nil : "it has \(Sentence.list(fields))")
        case .nothingBound(_, let nearest), .unknownTopic(_, let nearest),
            .unknownFunction(_, let nearest):
            Sentence.didYouMean(nearest)
        case .notATruthValue(let found) where found.contains("list") || found.contains("tensor"):
            "any(…) and all(…) make one truth value of several"
        case .unknownKey(_, let nearest, let keys):
            nearest.map { "did you mean \(Value.text($0).summary)?" }
                ?? (keys.isEmpty ? nil : "it has \(Sentence.list(keys))")
        case .unknownItem(_, let owner, let nearest, let example):
            nearest.map { "did you mean \(Value.text($0).summary)?" }
                ?? example.map {
                    "an id is like \(Value.text($0).summary); `\(owner).ids` lists them"
                }
        case .shapesDiffer:
            "from the last one on, each pair of dimensions must be equal, or one of them 1"
        case .productShapes(let left, let right):
            left.isEmpty || right.isEmpty
                ? "`*` multiplies by a number"
                : "\(left.last ?? 0) columns meet \(right.count > 1 ? right[right.count - 2] : right[0]) rows"
        case .listArithmetic: "tensor([1, 2]) makes a list of numbers a tensor"
        case .unknownParameter(_, _, let parameters, let nearest):
            Sentence.didYouMean(nearest)
                ?? (parameters.isEmpty ? nil : "it has \(Sentence.list(parameters))")
        case .missingFile(_, let nearest): Sentence.didYouMean(nearest)
        case .notReplaceable(_, let fields):
            fields.isEmpty
                ? "verbs compute it" : "\(Sentence.alternatives(fields)) can be replaced"
        case .alreadyThere: "overwrite=true replaces it"
        case .unknownExtension(_, _, let known):
            known.isEmpty ? nil : "use \(Sentence.alternatives(known.map { "." + $0 }))"
        case .notKept: "`replay` with to= and into= makes it again in another workspace"
        case .readOnly: "open another workspace, or start sami with --ephemeral"
        case .other(_, let suggestion): suggestion
        default: nil
        }
    }
}

extension Sentence {
    package static func list(_ names: [String]) -> String {
        let shown = names.prefix(10).map { "`\($0)`" }.joined(separator: ", ")
        return names.count > 10 ? shown + ", …" : shown
    }
}
