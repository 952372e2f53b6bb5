/// The verbs and functions of statements, with their operands and options.
///
/// The parser itself knows no verb. This table decides whether `test` in `split=test` is a word, a
/// path or the name of a value; diagnostics and completion use it too. So a host has one table for
/// everything.
///
/// ```swift
/// let grammar = CommandGrammar(verbs: [
///     CommandSignature("rollout", "samples responses", makes: ["rollouts"],
///         operands: [.optional("queries", .value)],
///         options: [OptionSpecification("temperature", .number, "0 is greedy")]),
///     CommandSignature("load", "reads a file", forms: [
///         CommandForm("model", "reads a model", makes: ["model"],
///             operands: [.required("path", .either([Choice("default")], .path))]),
///     ]),
/// ])
/// let program = grammar.parse("rollout queries[0:8] temperature=0.7")
/// ```
public struct CommandGrammar: Sendable {
    /// Largest nesting of brackets, and largest number of consecutive operators.
    public static let nestingLimit = 200

    public let verbs: [CommandSignature]
    /// If empty, any function name is accepted; otherwise an unknown name gives a diagnostic.
    public let functions: [FunctionSpecification]
    private let verbsByName: [String: Int]

    public init(verbs: [CommandSignature], functions: [FunctionSpecification] = []) {
        self.verbs = verbs
        self.functions = functions
        var table: [String: Int] = [:]
        for (index, verb) in verbs.enumerated() { table[verb.name] = index }
        verbsByName = table
    }

    public func verb(named name: String) -> CommandSignature? {
        verbsByName[name].map { verbs[$0] }
    }

    func isVerb(_ name: String) -> Bool { name == "time" || verbsByName[name] != nil }

    var verbNames: [String] { verbs.map(\.name) + (verbsByName["time"] == nil ? ["time"] : []) }
}

/// A verb and its forms.
public struct CommandSignature: Sendable {
    public var name: String
    /// One line, for completion and help.
    public var summary: String
    /// One form without a selecting word, or several forms with selecting words; `train` and `train
    /// tokenizer` show both.
    public var forms: [CommandForm]

    /// A verb whose next word selects a form.
    public init(_ name: String, _ summary: String, forms: [CommandForm]) {
        self.name = name
        self.summary = summary
        self.forms = forms
    }

    /// A verb with a single form.
    public init(
        _ name: String, _ summary: String, makes: [String] = [],
        operands: [OperandSpecification] = [], options: [OptionSpecification] = []
    ) {
        self.init(
            name, summary,
            forms: [
                CommandForm(
                    nil, summary, makes: makes, operands: operands, options: options)
            ])
    }

    /// The names that the verb binds, over all of its forms.
    public var makes: [String] { forms.flatMap(\.makes) }

    var selectors: [Choice] {
        forms.compactMap { form in form.selector.map { Choice($0, form.summary) } }
    }
}

/// The input after a verb and, if there is one, after the word that selects this form.
public struct CommandForm: Sendable {
    public var selector: String?
    public var summary: String
    /// The names that the command binds without a name on the left, the main one first.
    public var makes: [String]
    public var operands: [OperandSpecification]
    public var options: [OptionSpecification]

    public init(
        _ selector: String?, _ summary: String, makes: [String] = [],
        operands: [OperandSpecification] = [], options: [OptionSpecification] = []
    ) {
        self.selector = selector
        self.summary = summary
        self.makes = makes
        self.operands = operands
        self.options = options
    }
}

/// One operand of a form.
public struct OperandSpecification: Sendable {
    /// The name of its role, such as `path`; usage lines show it in capitals.
    public var name: String
    public var kind: ArgumentKind
    public var isRequired: Bool
    /// Whether it takes all following operands, but for a path that is known by its form.
    public var repeats: Bool
    /// For a path after an operand that repeats: the extensions by which the path is known, as
    /// `svg` in `plot a b c.svg`. A word that begins as a path is known without one.
    public var extensions: [String] = []
    public var summary: String

    /// Its place in a usage line: `PATH`, `VALUE…`, or the word itself where only one fits.
    public var title: String {
        if case .words(let choices) = kind, choices.count == 1 { return choices[0].word }
        return name.uppercased() + (repeats ? "…" : "")
    }

    public static func required(
        _ name: String, _ kind: ArgumentKind, _ summary: String = "", repeats: Bool = false
    ) -> OperandSpecification {
        OperandSpecification(
            name: name, kind: kind, isRequired: true, repeats: repeats, summary: summary)
    }

    public static func optional(
        _ name: String, _ kind: ArgumentKind, _ summary: String = "", repeats: Bool = false,
        extensions: [String] = []
    ) -> OperandSpecification {
        OperandSpecification(
            name: name, kind: kind, isRequired: false, repeats: repeats, extensions: extensions,
            summary: summary)
    }
}

/// One `key=value` of a form.
public struct OptionSpecification: Sendable {
    public var key: String
    public var kind: ArgumentKind
    public var summary: String

    public init(_ key: String, _ kind: ArgumentKind, _ summary: String = "") {
        self.key = key
        self.kind = kind
        self.summary = summary
    }
}

/// The way in which the text of an operand or value is read.
///
/// For every kind, a value that begins with a parenthesis is an expression: `optimizer=(best)`.
public indirect enum ArgumentKind: Sendable {
    /// An expression over workspace values: `queries[0:8]`.
    case value
    /// An expression whose value should be of this kind: `model`, `queries`.
    case object(String)
    /// Any expression.
    case expression
    /// An expression that should give a number.
    case number
    /// An expression that should give text, usually in quotes.
    case text
    /// An expression that should give true or false.
    case flag
    /// The bare name of a workspace value, as in `rm logprobs`: the name, not the value.
    case name
    /// A bare word without a list of allowed words, such as `600MB`.
    case word
    /// A bare word that `help` explains; the host knows them all.
    case topic
    /// One of these words, bare or in quotes.
    case words([Choice])
    /// A path or an address: bare up to the next blank or `;`, or in quotes.
    case path
    /// A bare word from this list; any other input, and everything in quotes, has the other kind.
    case either([Choice], ArgumentKind)

    /// A list of words without descriptions.
    public static func words(_ words: String...) -> ArgumentKind {
        .words(words.map { Choice($0) })
    }
}

/// An allowed word and its meaning.
public struct Choice: Hashable, Sendable {
    public var word: String
    public var summary: String
    /// Words that stand for this one, and that completion and help do not list.
    public var otherSpellings: [String]

    public init(_ word: String, _ summary: String = "", otherSpellings: [String] = []) {
        self.word = word
        self.summary = summary
        self.otherSpellings = otherSpellings
    }
}

/// A function that expressions may call.
public struct FunctionSpecification: Sendable {
    public var name: String
    public var summary: String
    public var keys: [Choice]

    public init(_ name: String, _ summary: String = "", keys: [Choice] = []) {
        self.name = name
        self.summary = summary
        self.keys = keys
    }
}
