import CommandLanguage
import Commands
import Rendering
import Values

/// Help for the word at a place, and values of expressions that are no statements of a person: a
/// host shows them beside the statements.
extension Session {
    /// The help or the description for a UTF-8 offset of a block: `help` for a verb, a key, a
    /// function or a term, `describe` for a value; nil if there is nothing to say.
    public func inspection(in source: String, at cursor: Int) -> Display? {
        let place = InspectedPlace(in: source, at: cursor)
        // It is shown in a small window.
        let appearance = hostAppearance
        defer { hostAppearance = appearance }
        hostAppearance.width = min(appearance.width, 72)
        for statement in statements(about: place) {
            if let display = look(at: statement) { return display }
        }
        return nil
    }

    /// The looking statements that may explain a place, the closest first.
    private func statements(about place: InspectedPlace) -> [String] {
        var statements: [String] = []
        let verb = place.verb.flatMap { CommandTable.command($0) }
        if let verb, place.word == verb.name {
            if let form = place.form, verb.form(form) != nil {
                statements.append("help \(verb.name) \(form)")
            }
            return statements + ["help \(verb.name)"]
        }
        if let verb, place.word == place.form, verb.form(place.word) != nil {
            return ["help \(verb.name) \(place.word)"]
        }
        if !place.isKey {
            if isAtHand(place.chain) { statements.append("describe \(place.chain)") }
            if Help.topics.contains(where: { $0.word == place.word }) {
                statements.append("help \(place.word)")
            }
        }
        // A key, a number or an unknown word belongs to its verb.
        if let verb { statements.append("help \(verb.name)") }
        return statements
    }

    /// Whether a text is a name, perhaps with fields and indexes, so that its value is at hand.
    private func isAtHand(_ text: String) -> Bool {
        let program = Session.parse(text)
        guard program.diagnostics.isEmpty, let statement = program.statements.first,
            program.statements.count == 1, statement.targets.isEmpty,
            case .expression(let node) = statement.body
        else { return false }
        switch node.expression {
        case .name, .field, .index: return isCheap(node)
        default: return false
        }
    }

    /// The value of an expression that a host wants to show beside the statements. The session
    /// stays as it is, `_` too.
    public func value(ofExpression source: String) -> Result<Display, Failure> {
        let program = Session.parse(source)
        let (last, pending) = (lastResult, unjournaled)
        defer { (lastResult, unjournaled) = (last, pending) }
        var display = Display(StyledText())
        var failure: Failure?
        let isExpression =
            !program.statements.isEmpty
            && program.statements.allSatisfy { statement in
                if case .expression = statement.body { statement.targets.isEmpty } else { false }
            }
        guard isExpression else {
            return .failure(
                Failure(
                    kind: .syntax,
                    diagnostic: Diagnostic(
                        message: "only an expression can stand here",
                        span: SourceSpan(lower: 0, upper: source.utf8.count)),
                    source: source, origin: .prompt))
        }
        evaluate(program, forgetsInterruption: false) { event in
            switch event {
            case .display(let shown): display = shown
            case .finished(let outcome):
                if case .failure(let found) = outcome.result { failure = failure ?? found }
            case .started, .progress: break
            }
        }
        return failure.map { .failure($0) } ?? .success(display)
    }

    private func look(at statement: String) -> Display? {
        let (last, pending) = (lastResult, unjournaled)
        defer { (lastResult, unjournaled) = (last, pending) }
        guard let outcome = outcomes(of: statement).first,
            case .success(let output) = outcome.result
        else { return nil }
        return output.displays.first
    }

    /// The statements of the workspace so far, the oldest first.
    public var journaledStatements: [String] { workspace.history.map(\.source) }
}

/// The word at a place of a block, and the words around it that give it its meaning.
struct InspectedPlace {
    /// The word under the cursor, or the next one to its left.
    var word = ""
    /// The word with the owners and indexes on its left: `rollouts[0].responses`.
    var chain = ""
    /// The first word of the statement.
    var verb: String?
    /// The word after the verb.
    var form: String?
    /// Whether `=` follows the word, and a verb stands before it.
    var isKey = false

    init(in source: String, at cursor: Int) {
        let bytes = Array(source.utf8)
        var place = min(max(cursor, 0), bytes.count)
        let start =
            bytes[..<place].lastIndex(where: InspectedPlace.endsStatement).map { $0 + 1 } ?? 0
        var end = place
        while end < bytes.count, InspectedPlace.isPart(bytes[end]) { end += 1 }
        if end == place {
            while place > start, !InspectedPlace.isPart(bytes[place - 1]) { place -= 1 }
            end = place
        }
        var lower = end
        while lower > start, InspectedPlace.isPart(bytes[lower - 1]) { lower -= 1 }
        word = String(decoding: bytes[lower..<end], as: UTF8.self)
        chain = String(
            decoding: bytes[InspectedPlace.chainStart(bytes, from: lower, to: start)..<end],
            as: UTF8.self)
        var words = bytes[start..<end].split { !InspectedPlace.isPart($0) }
            .map { String(decoding: $0, as: UTF8.self) }
        // `name = verb …`
        if bytes[start..<lower].contains(UInt8(ascii: "=")), words.count > 1,
            CommandTable.command(words[0]) == nil
        {
            words.removeFirst()
        }
        if words.first == "time" { words.removeFirst() }
        verb = words.first
        form = words.count > 1 ? words[1] : InspectedPlace.word(in: bytes, after: end)
        isKey = end < bytes.count && bytes[end] == UInt8(ascii: "=") && words.count > 1
    }

    private static func isPart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }

    private static func endsStatement(_ byte: UInt8) -> Bool {
        byte == 0x0A || byte == UInt8(ascii: ";") || byte == UInt8(ascii: "{")
    }

    /// The start of `a.b[0].` before a word.
    private static func chainStart(_ bytes: [UInt8], from lower: Int, to start: Int) -> Int {
        var place = lower
        while place > start, bytes[place - 1] == UInt8(ascii: ".") {
            var left = place - 1
            while left > start, bytes[left - 1] == UInt8(ascii: "]") {
                var depth = 0
                repeat {
                    left -= 1
                    if bytes[left] == UInt8(ascii: "]") { depth += 1 }
                    if bytes[left] == UInt8(ascii: "[") { depth -= 1 }
                } while left > start && depth > 0
            }
            let end = left
            while left > start, isPart(bytes[left - 1]) { left -= 1 }
            guard left < end else { break }
            place = left
        }
        return place
    }

    /// The word after the blanks at a place.
    private static func word(in bytes: [UInt8], after place: Int) -> String? {
        let rest = bytes[place...].drop { $0 == 0x20 }.prefix(while: isPart)
        return rest.isEmpty ? nil : String(decoding: rest, as: UTF8.self)
    }
}
