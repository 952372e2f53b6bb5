import CommandLanguage
import JSON
import Rendering
import Tokenizers
import Values

extension CommandTable {
    static let tokenizeCommand = Command(
        "tokenize", .models, "shows the tokens of a text or the text of tokens, or counts a file's",
        makes: ["_"], effect: .looks,
        operands: [
            .required(
                "text", .path, "text in quotes, texts, token ids, or a JSON Lines file with field=")
        ],
        options: [
            OptionSpecification("field", .word, "the field of a file's lines"),
            OptionSpecification(
                "special", .flag, "whether special tokens are added; default: true"),
            OptionSpecification(
                "model", .object("model"), "the model whose tokenizer is used; default: `model`"),
            OptionSpecification("tokenizer", .object("tokenizer"), "in place of the model's"),
        ],
        example: "tokenize \"Summary: my sister\" special=false", run: tokenize)

    private static func tokenize(_ invocation: Invocation) throws -> CommandResult {
        let tokenizer: Tokenizer
        if invocation.has("tokenizer")
            || !invocation.has("model")
                && !invocation.session.isBound("model")
        {
            tokenizer = try invocation.object(TokenizerObject.self, "tokenizer").tokenizer
        } else {
            tokenizer = try invocation.tokenizer(of: try invocation.model())
        }
        let special = try invocation.flag("special") ?? true
        if let field = try invocation.text("field") {
            let file = try invocation.records("text")
            let texts = try fieldTexts(field, file, invocation)
            return try tokenizeAll(texts, tokenizer, special, invocation)
        }
        switch try textOperand(invocation) {
        case .text(let text):
            let tokens = tokenizer.encode(text, special: special)
            var notes: [String] = []
            if special, tokenizer.spellsBeginning(text), let bos = tokenizer.bos {
                notes.append(
                    "the text begins with \(tokenizer.token(bos) ?? "") already, so that it stands "
                        + "there twice; special=false adds none, and no prompt gets a second one")
            }
            return CommandResult(
                value: Value(tokens.map { Int($0) }), Display(strip(tokens, tokenizer, invocation)),
                notes: notes)
        case let value:
            guard case .list(let items) = value else {
                throw invocation.located(
                    EvaluationError.wrongKind(role: "`text`", expected: "text", found: value.aKind),
                    at: "text")
            }
            let texts = items.compactMap(\.asText)
            if texts.count == items.count {
                return try tokenizeAll(texts, tokenizer, special, invocation)
            }
            let ids = items.compactMap(\.asInteger)
            guard ids.count == items.count else {
                throw invocation.located(
                    EvaluationError.wrongKind(
                        role: "each item of `text`", expected: "text or a token id",
                        found: "something else"),
                    at: "text")
            }
            return try text(of: ids, tokenizer, invocation)
        }
    }

    /// The text of token ids, special tokens included.
    private static func text(
        of ids: [Int], _ tokenizer: Tokenizer, _ invocation: Invocation
    ) throws -> CommandResult {
        if let unknown = ids.first(where: { $0 < 0 || $0 >= tokenizer.idLimit }) {
            throw invocation.error(
                "\(unknown) is no token: the ids go from 0 to \(tokenizer.idLimit - 1)", at: "text")
        }
        let tokens = ids.map { Int32($0) }
        return CommandResult(
            value: .text(tokenizer.decode(tokens, skipSpecial: false)),
            Display(strip(tokens, tokenizer, invocation)))
    }

    /// The tokens of a text one after the other, and their ids.
    private static func strip(
        _ tokens: [Int32], _ tokenizer: Tokenizer, _ invocation: Invocation
    ) -> StyledText {
        var strip = StyledText("\(NumberText.count(tokens.count, "token"))", .heading)
        strip.line("")
        for (index, token) in tokens.enumerated() {
            // Two alternating shades separate tokens; without color a bar does.
            let shown = TextWidth.oneLine(TokenName.text(token, tokenizer))
            if invocation.appearance.color == .none {
                strip.append(index == 0 ? shown : "|" + shown)
            } else {
                strip.append(
                    shown,
                    TextStyle(
                        foreground: .rgb(255, 255, 255),
                        background: index % 2 == 0 ? .rgb(40, 60, 110) : .rgb(90, 50, 110)))
            }
        }
        strip.line(TextWidth.cut("\(tokens)", to: 4 * invocation.appearance.columns), .faint)
        return strip
    }

    /// Quoted text stands for itself. A bare word is an expression over bound names, such as
    /// `rollouts.response`.
    private static func textOperand(_ invocation: Invocation) throws -> Value {
        guard let argument = invocation.argument("text") else { return .null }
        guard case .path(let word) = argument.value, !invocation.isQuoted(argument) else {
            return try invocation.value(argument)
        }
        let program = grammar.parse(word)
        if program.diagnostics.isEmpty, program.statements.count == 1,
            case .expression(let node) = program.statements[0].body
        {
            do throws(LocatedError) {
                return try Evaluator(environment: invocation.session).value(of: node)
            } catch {
                let offset = argument.span.lower
                throw LocatedError(
                    error: error.error,
                    span: SourceSpan(
                        lower: error.span.lower + offset, upper: error.span.upper + offset))
            }
        }
        throw invocation.error(
            "text needs quotes, and a file needs `field=`",
            suggestion: "tokenize \(word) field=text", at: "text")
    }

    private static func tokenizeAll(
        _ texts: [String], _ tokenizer: Tokenizer, _ special: Bool, _ invocation: Invocation
    ) throws -> CommandResult {
        var meter = invocation.meter()
        defer { meter.finish() }
        var ids: [Value] = []
        var total = 0
        var longest = 0
        let together = 256
        for first in stride(from: 0, to: texts.count, by: together) {
            let part = Array(texts[first..<min(first + together, texts.count)])
            for tokens in tokenizer.encode(part, special: special) {
                ids.append(Value(tokens.map { Int($0) }))
                total += tokens.count
                longest = max(longest, tokens.count)
            }
            meter.update(ids.count, of: texts.count, unit: "texts", tokens: total)
            if invocation.isInterrupted {
                throw invocation.located(
                    EvaluationError.interrupted("stopped; nothing has changed"))
            }
        }
        let bytes = texts.reduce(0) { $0 + $1.utf8.count }
        let text = StyledText(
            "\(NumberText.count(texts.count, "text")), \(NumberText.count(total, "token")), "
                + "longest \(NumberText.grouped(longest)), "
                + "\(NumberText.fixed(Double(bytes) / Double(max(1, total)), decimals: 2)) bytes a token"
        )
        return CommandResult(value: .list(ids), Display(text))
    }
}

extension Invocation {
    /// Whether a bare operand was written in quotes.
    func isQuoted(_ argument: Argument) -> Bool {
        let text = argument.span.text(in: source)
        return text.hasPrefix("\"") || text.hasPrefix("'")
    }

    /// The text of an argument as the user wrote it, to derive names from it.
    func written(_ role: String) -> String? {
        argument(role).map { TextWidth.oneLine($0.span.text(in: source)) }
    }
}
