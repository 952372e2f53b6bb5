/// The possible continuations at a place of a source, for hosts that complete.
public struct CompletionContext: Hashable, Sendable {
    /// The part to complete: from the start of the word to the cursor.
    public var span: SourceSpan
    /// The part of the word before the cursor, without an opening quote.
    public var prefix: String
    /// The quote that opens before the word.
    public var quote: Character?
    /// All kinds that fit, in the order in which to offer them; empty inside text and comments.
    public var wants: [CompletionWant]
}

/// One kind of thing that fits at the cursor.
public enum CompletionWant: Hashable, Sendable {
    /// A verb, at the start of a statement.
    case verbs
    /// One of these words: a form of the verb, or a possible value of an operand or a key.
    case words([Choice])
    /// A key of the command or function. The inserted text ends with `=`.
    case keys([Choice])
    /// The name of a workspace value.
    case names
    /// The name of a workspace value of this kind, where a host knows kinds.
    case namesOf(kind: String)
    /// A function that expressions may call.
    case functions
    /// A field of the expression's value.
    case fields(of: Node)
    /// A key or an id, in quotes, of the expression's value. The inserted text ends with `]`.
    case items(of: Node)
    /// A file or folder.
    case path
    /// A topic of `help`.
    case topics
}

/// A text to insert in place of ``CompletionContext/span``.
public struct CompletionItem: Hashable, Sendable {
    public enum Kind: String, Sendable {
        case verb, word, key, function, constant, value, field, item, file, folder, topic
    }

    public var text: String
    public var kind: Kind
    /// A description of one line; may be empty.
    public var summary: String
    /// Whether a blank may follow: true for a complete word; false for a key, a function or a
    /// folder.
    public var isWhole: Bool

    public init(_ text: String, _ kind: Kind, _ summary: String = "", isWhole: Bool = true) {
        self.text = text
        self.kind = kind
        self.summary = summary
        self.isWhole = isWhole
    }
}

/// The completions for a place of a source.
public struct CompletionList: Hashable, Sendable {
    /// The part of the source that an item replaces; it ends at the cursor.
    public var replacing: SourceSpan
    public var items: [CompletionItem]

    public init(replacing: SourceSpan, items: [CompletionItem]) {
        self.replacing = replacing
        self.items = items
    }
}

extension CommandGrammar {
    /// The possible continuations at a UTF-8 offset of a source.
    public func completionContext(for source: String, at offset: Int) -> CompletionContext {
        let text = SourceSpan(lower: 0, upper: offset).text(in: source)
        var parser = Parser(self, text)
        parser.probe = CompletionProbe(offset: text.utf8.count)
        _ = parser.program()
        guard let probe = parser.probe, !probe.wants.isEmpty else {
            return CompletionContext(
                span: SourceSpan(lower: text.utf8.count, upper: text.utf8.count), prefix: "",
                wants: [])
        }
        let span = SourceSpan(lower: probe.lower, upper: text.utf8.count)
        var quote: Character?
        if probe.isRaw, probe.lower > 0 {
            let before = parser.lexer.bytes[probe.lower - 1]
            if before == UInt8(ascii: "\"") || before == UInt8(ascii: "'") {
                quote = Character(Unicode.Scalar(before))
            }
        }
        return CompletionContext(
            span: span, prefix: span.text(in: text), quote: quote, wants: probe.wants)
    }

    /// The completions that the grammar itself knows: verbs, words, keys and functions that start
    /// with the prefix. The host adds names, fields and paths.
    public func candidates(for context: CompletionContext) -> [CompletionItem] {
        var found: [CompletionItem] = []
        // Among operands a key is usually wanted. A function with the same beginning would keep TAB
        // from completing the key.
        let hasKey = context.wants.contains { want in
            guard case .keys(let keys) = want else { return false }
            return keys.contains { $0.word.hasPrefix(context.prefix) }
        }
        for want in context.wants {
            switch want {
            case .verbs:
                found += verbs.map { CompletionItem($0.name, .verb, $0.summary) }
                if verb(named: "time") == nil {
                    found.append(CompletionItem("time", .verb, "times a statement"))
                }
            case .words(let choices):
                found += choices.map { CompletionItem($0.word, .word, $0.summary) }
            case .keys(let keys):
                found += keys.map {
                    CompletionItem($0.word + "=", .key, $0.summary, isWhole: false)
                }
            case .functions:
                // Without a prefix, every expression would list all functions.
                guard !context.prefix.isEmpty, !hasKey else { continue }
                found += functions.map {
                    CompletionItem($0.name + "(", .function, $0.summary, isWhole: false)
                }
            case .names, .namesOf, .fields, .items, .path, .topics: continue
            }
        }
        return found.filter { $0.text.hasPrefix(context.prefix) }
    }
}

extension CompletionContext {
    /// The text to insert for a key or an id between `[` and `]`.
    public func insertion(key: String) -> String {
        guard let quote else { return quoted(key) + "]" }
        var body = String(quoted(key).dropFirst().dropLast())
        if quote == "'" { body = body.replacing("\\\"", with: "\"").replacing("'", with: "\\'") }
        return body + String(quote) + "]"
    }

    /// The text to insert for a path: in quotes if the path cannot be a bare word. The quotes of a
    /// folder stay open, so that the user can continue.
    public func insertion(path: String, isFolder: Bool) -> String {
        let needsQuotes = path.contains { $0.isWhitespace || "\"';#\\".contains($0) }
        guard needsQuotes || quote != nil else { return path }
        var body = String(quoted(path).dropFirst().dropLast())
        if let quote {
            if quote == "'" { body = body.replacing("'", with: "\\'") }
            return body + (isFolder ? "" : String(quote))
        }
        return "\"" + body + (isFolder ? "" : "\"")
    }
}

/// Collects the lexemes that the parser could accept where the source ends. The parser itself
/// reports them while it reads, so completion always agrees with the grammar.
struct CompletionProbe {
    let offset: Int
    var lower = -1
    var isRaw = false
    var wants: [CompletionWant] = []

    init(offset: Int) { self.offset = offset }
}

extension Parser {
    /// Records a possible lexeme that starts at an offset. It counts if the source ends inside it;
    /// the last such place wins.
    mutating func note(
        _ wants: [CompletionWant], at lower: Int, raw: Bool = false, afterBlank: Bool = false
    ) {
        // Words and paths are shorter than this. The limit keeps the time for a long line linear.
        guard let probe, lower >= probe.lower, lower <= probe.offset,
            probe.offset - lower <= 4096
        else { return }
        var start = probe.offset
        while start > lower {
            let byte = lexer.bytes[start - 1]
            guard raw ? byte != UInt8(ascii: "\n") : isNameByte(byte) else { return }
            start -= 1
        }
        if afterBlank, lower > 0 {
            if isNameByte(lexer.bytes[lower - 1]) { return }
        }
        if lower > probe.lower || self.probe?.isRaw != raw {
            self.probe?.wants = []
            self.probe?.lower = lower
            self.probe?.isRaw = raw
        }
        for want in wants where self.probe?.wants.contains(want) == false {
            self.probe?.wants.append(want)
        }
    }

    /// Called after `[`: the keys and ids of the indexed value, also inside an opening quote.
    mutating func noteItems(of owner: Node) {
        let next = peek()
        note([.items(of: owner)], at: next.span.lower)
        if case .broken(.unclosedText) = next.kind {
            note([.items(of: owner)], at: next.span.lower + 1, raw: true)
        }
    }

    /// Called at the end of the source, if only blanks follow the last statement.
    mutating func noteEmptyStatement() {
        let before = position > 0 ? lexer.bytes[position - 1] : UInt8(ascii: "\n")
        guard before == UInt8(ascii: "\n") || before == UInt8(ascii: ";") else { return }
        let rest = lexer.bytes[position...]
        guard !rest.contains(UInt8(ascii: "#")) else { return }
        note([.verbs, .names, .functions], at: lexer.count)
    }

    private func isNameByte(_ byte: UInt8) -> Bool {
        byte >= 0x80 || byte == UInt8(ascii: "_") || Unicode.Scalar(byte).isNamePart
    }

    /// Notes the kinds of the next operand, and the remaining keys.
    mutating func noteArgument(_ form: CommandForm, _ nextOperand: Int, _ call: CommandCall) {
        guard probe != nil else { return }
        let lower = peek().span.lower
        guard lower > 0, peek().afterBlank else { return }
        var operands: [CompletionWant] = []
        var raw = false
        for index in nextOperand..<max(nextOperand, form.operands.count) {
            operands += wants(form.operands[index].kind)
            raw = raw || form.operands[index].kind.isBare
            // Optional words may be missing, so the operand after them fits as well.
            if form.operands[index].repeats, call.operand(form.operands[index].name) != nil {
                continue
            }
            guard !form.operands[index].isRequired, case .words = form.operands[index].kind else {
                break
            }
        }
        let left = form.options.filter { call.option($0.key) == nil }
            .map { Choice($0.key, $0.summary) }
        if !left.isEmpty { operands.append(.keys(left)) }
        note(operands, at: lower, raw: raw)
    }

    func wants(_ kind: ArgumentKind) -> [CompletionWant] {
        switch kind {
        case .value, .expression: [.names, .functions]
        case .object(let kind): [.namesOf(kind: kind), .functions]
        case .number: [.namesOf(kind: "number"), .functions]
        case .text: [.namesOf(kind: "text"), .functions]
        case .flag: [.words([Choice("true"), Choice("false")])]
        case .name: [.names]
        case .word: []
        case .topic: [.topics]
        case .words(let choices): [.words(choices)]
        case .path: [.path]
        case .either(let choices, let other): [.words(choices)] + wants(other)
        }
    }
}
