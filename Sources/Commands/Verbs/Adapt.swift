import CommandLanguage
import NumberTypes
import Rendering
import Transformers
import Values

extension CommandTable {
    static let adaptCommand = Command(
        "adapt", .models, "gives `model` low-rank adapters, which alone train",
        about: """
            LoRA (arXiv 2106.09685): beside a weight W stand two small matrices, and the model \
            computes with W + (alpha / rank) B A. W stays as it is, shared with `base`, and B \
            begins at zero, so that nothing changes until a step. Everything works on the adapters \
            then: `backward`, `update`, `train`, `iterate`, `undo` and `resume` keep megabytes \
            where they kept gigabytes. `iterate` trains adapters like those of `model`, begun anew \
            in each iteration (from=base). `merge` adds them to the weights; `export adapter` \
            and `load adapter` exchange them with PEFT.
            """,
        makes: ["model"],
        options: [
            OptionSpecification(
                "rank", .number, "rows of A and columns of B, at most a side of W; default: 16"),
            OptionSpecification(
                "alpha", .number, "scales the adapters by alpha / rank; default: twice the rank"),
            OptionSpecification(
                "on",
                .either(
                    [
                        Choice("all", "every matrix of the blocks (default)"),
                        Choice("attention", "those of the attention"),
                    ], .value), "the matrices: or a list of names, as [\"q_proj\", \"v_proj\"]"),
            OptionSpecification(
                "rslora", .flag, "scale by alpha / √rank (arXiv 2312.03732); default: false"),
            MethodKey.model, MethodKey.seed,
        ],
        example: "adapt rank=4 on=attention", run: adapt)

    private static func adapt(_ invocation: Invocation) throws -> CommandResult {
        let object = try invocation.model()
        if object.model.configuration.adapter != nil {
            throw invocation.error(
                "`\(invocation.written("model") ?? "model")` has adapters already "
                    + "(\(object.model.adapterWords ?? ""))",
                suggestion: "merge, or begin anew: adapt model=base")
        }
        let rank =
            try invocation.integer(
                "rank", atLeast: 1, atMost: AdapterConfiguration.ranks.upperBound)
            ?? 16
        let alpha =
            try invocation.number(
                "alpha", in: Double.leastNonzeroMagnitude...1e9,
                rule: "above zero and at most 1e9")
            ?? Double(2 * rank)
        let adapter = AdapterConfiguration(
            rank: rank, alpha: alpha,
            scaling: try invocation.flag("rslora") == true ? .rankStabilized : .standard,
            targets: try targets(object.model, invocation))
        let model: LanguageModel
        do {
            model = try object.model.adding(adapter, key: try invocation.randomKey())
        } catch ModelError.badSetting(let name, let value, let allowed) {
            throw invocation.located(
                ModelError.badSetting(name: name, value: value, allowed: allowed), at: name)
        }
        let adapted = object.with(model, origin: object.origin)
        return CommandResult("model", adapted)
    }

    private static func targets(
        _ model: LanguageModel, _ invocation: Invocation
    ) throws -> [String] {
        let projections = try model.configuration.projections()
        let kinds = { (some: [ProjectionShape]) in Set(some.map(\.kind)).sorted() }
        switch try invocation.word(invocation.argument("on")) {
        case "all": return kinds(projections)
        case "attention": return kinds(projections.filter(\.isAttention))
        default: break
        }
        let names = try invocation.texts("on")
        if names.isEmpty {
            if invocation.has("on") {
                throw invocation.error(
                    "`on` names no projection",
                    suggestion: "they are \(kinds(projections).joined(separator: ", "))", at: "on")
            }
            return kinds(projections)
        }
        return names
    }

    static let mergeCommand = Command(
        "merge", .models, "adds the adapters of `model` to its weights",
        about: """
            Every adapted weight W becomes W + scale · B A, computed in float32, and all weights \
            train again.
            """,
        makes: ["model"],
        options: [
            OptionSpecification(
                "dtype",
                .words([
                    Choice("float32", "loses nothing, four bytes a weight (default)"),
                    Choice("stored", "the type that the weight has; rounds the sum once"),
                ]), "the type of the merged weights"),
            MethodKey.model,
        ],
        example: "merge", run: merge)

    private static func merge(_ invocation: Invocation) throws -> CommandResult {
        let object = try invocation.adaptedModel()
        let type: DType? = try invocation.text("dtype") == "stored" ? nil : .float32
        let merged: LanguageModel
        do {
            merged = try object.model.mergingAdapter(as: type)
        } catch ModelError.doesNotFit(let needed, let available) {
            throw invocation.error(
                ErrorSentence.of(ModelError.doesNotFit(needed: needed, available: available)),
                suggestion: type == .float32
                    ? "merge dtype=stored, or export adapter" : "export adapter keeps them apart")
        }
        return CommandResult(
            "model", object.with(merged, origin: "\(object.origin), adapters merged"))
    }
}

extension Invocation {
    /// The model of a verb that works on adapters.
    func adaptedModel() throws -> ModelObject {
        let object = try model()
        guard object.model.configuration.adapter != nil else {
            throw error(
                "`\(written("model") ?? "model")` has no adapters", suggestion: "adapt rank=16")
        }
        return object
    }
}
