/// Parses a template's lexemes into statements. Expressions are in
/// `TemplateParser+Expressions.swift`.
struct TemplateParser {
    private let tokens: [TemplateToken]
    private var place = 0
    private var nesting = 0
    private var loops = 0
    /// The special names of a macro that its body uses.
    var extras: Set<String> = []

    init(_ tokens: [TemplateToken]) {
        self.tokens = tokens
    }

    var next: TemplateToken.Kind? { place < tokens.count ? tokens[place].kind : nil }
    var afterNext: TemplateToken.Kind? { place + 1 < tokens.count ? tokens[place + 1].kind : nil }
    var line: Int { place < tokens.count ? tokens[place].line : tokens.last?.line ?? 1 }

    mutating func advance() { place += 1 }

    mutating func take(_ kind: TemplateToken.Kind) -> Bool {
        guard next == kind else { return false }
        place += 1
        return true
    }

    mutating func take(sign: String) -> Bool { take(.sign(sign)) }
    mutating func take(word: String) -> Bool { take(.name(word)) }

    mutating func expect(sign: String) throws {
        guard take(sign: sign) else { throw unexpected("“\(sign)”") }
    }

    mutating func name() throws -> String {
        guard case .name(let name) = next else { throw unexpected("a name") }
        place += 1
        return name
    }

    func problem(_ text: String) -> TemplateError { .syntax(line: line, problem: text) }

    func unexpected(_ wanted: String) -> TemplateError {
        problem("\(wanted) was expected, not \(next.map(Self.shown) ?? "the end of the template")")
    }

    private static func shown(_ kind: TemplateToken.Kind) -> String {
        switch kind {
        case .text: "text"
        case .openVariable: "{{"
        case .closeVariable: "}}"
        case .openBlock: "{%"
        case .closeBlock: "%}"
        case .name(let name): "“\(name.prefix(40))”"
        case .string(let text): "the text “\(text.prefix(40))”"
        case .integer(let number): "\(number)"
        case .float(let number): "\(number)"
        case .sign(let sign): "“\(sign)”"
        }
    }

    /// Runs one level deeper; an error at a depth that would exhaust the stack.
    mutating func nested<Result>(
        _ body: (inout TemplateParser) throws -> Result
    ) throws -> Result {
        nesting += 1
        defer { nesting -= 1 }
        guard nesting <= TemplateLimits.nesting else {
            throw TemplateError.tooMuch(
                line: line, what: "nests deeper than \(TemplateLimits.nesting) levels")
        }
        return try body(&self)
    }

    mutating func template() throws -> [Statement] {
        let statements = try body(until: [])
        guard place == tokens.count else { throw unexpected("the end of the template") }
        return statements
    }

    /// Statements up to a block that starts with one of the words. The word is not consumed.
    private mutating func body(until words: [String]) throws -> [Statement] {
        try nested { try $0.statements(until: words) }
    }

    private mutating func statements(until words: [String]) throws -> [Statement] {
        var statements: [Statement] = []
        while let kind = next {
            switch kind {
            case .text(let text):
                advance()
                statements.append(.text(text))
            case .openVariable:
                let line = line
                advance()
                let value = try tuple()
                guard take(.closeVariable) else { throw unexpected("}}") }
                statements.append(.output([value], line: line))
            case .openBlock:
                advance()
                guard case .name(let word) = next else { throw unexpected("a statement") }
                if words.contains(word) { return statements }
                statements.append(try statement(word))
            default: throw unexpected("text or a tag")
            }
        }
        guard words.isEmpty else {
            throw problem("{% \(words[words.count - 1]) %} is missing at the end of the template")
        }
        return statements
    }

    private mutating func close() throws {
        guard take(.closeBlock) else { throw unexpected("%}") }
    }

    /// A body up to `{% word %}`, which is consumed.
    private mutating func body(closedBy word: String) throws -> [Statement] {
        try close()
        let statements = try body(until: [word])
        advance()
        try close()
        return statements
    }

    private mutating func statement(_ word: String) throws -> Statement {
        let line = line
        advance()
        switch word {
        case "if": return try condition(line)
        case "for": return try loop(line)
        case "set": return try set(line)
        case "macro": return try macro(line)
        case "generation": return .scope(try body(closedBy: "endgeneration"))
        case "filter":
            let filter = try filterChain(nil)
            return .filter(filter, try body(closedBy: "endfilter"), line: line)
        case "call": return try call(line)
        case "with": return try with(line)
        case "break", "continue":
            guard loops > 0 else { throw problem("{% \(word) %} outside of a loop") }
            try close()
            return word == "break" ? .leave : .next
        case "block", "extends", "include", "import", "from", "do", "autoescape", "trans", "debug":
            throw TemplateError.unsupported(line: line, what: "{% \(word) %}")
        default: throw TemplateError.syntax(line: line, problem: "unknown statement “\(word)”")
        }
    }

    private mutating func condition(_ line: Int) throws -> Statement {
        var branches: [(test: Expression, body: [Statement])] = []
        var otherwise: [Statement] = []
        repeat {
            let test = try tuple(isConditional: false)
            try close()
            branches.append((test, try body(until: ["elif", "else", "endif"])))
        } while take(word: "elif")
        if take(word: "else") {
            try close()
            otherwise = try body(until: ["endif"])
        }
        guard take(word: "endif") else { throw unexpected("{% endif %}") }
        try close()
        return .condition(branches, otherwise: otherwise, line: line)
    }

    private mutating func loop(_ line: Int) throws -> Statement {
        let (targets, isUnpacking) = try targets(endingIn: "in")
        guard take(word: "in") else { throw unexpected("“in”") }
        let values = try tuple(isConditional: false)
        let condition = take(word: "if") ? try expression() : nil
        if take(word: "recursive") {
            throw TemplateError.unsupported(line: line, what: "a recursive loop")
        }
        try close()
        loops += 1
        let body = try body(until: ["else", "endfor"])
        loops -= 1
        var otherwise: [Statement] = []
        if take(word: "else") {
            try close()
            otherwise = try self.body(until: ["endfor"])
        }
        advance()
        try close()
        return .loop(
            Statement.Loop(
                targets: targets, isUnpacking: isUnpacking, values: values, condition: condition,
                body: body, otherwise: otherwise), line: line)
    }

    /// Names separated by commas, with or without brackets.
    private mutating func targets(
        endingIn end: String?
    ) throws -> (targets: [Statement.Target], isUnpacking: Bool) {
        let isBracketed = take(sign: "(")
        var targets = [try target()]
        var isUnpacking = false
        while take(sign: ",") {
            isUnpacking = true
            if case .name(let name) = next, name != end {
                targets.append(try target())
            } else {
                break
            }
        }
        if isBracketed { try expect(sign: ")") }
        return (targets, isUnpacking)
    }

    private mutating func target() throws -> Statement.Target {
        let name = try name()
        guard !["true", "false", "none", "True", "False", "None"].contains(name) else {
            throw problem("“\(name)” cannot be set")
        }
        return Statement.Target(name: name, attribute: take(sign: ".") ? try self.name() : nil)
    }

    private mutating func set(_ line: Int) throws -> Statement {
        let (targets, isUnpacking) = try targets(endingIn: nil)
        if take(sign: "=") {
            let value = try tuple()
            try close()
            guard isUnpacking || targets.count == 1 else { throw problem("nothing to set") }
            if isUnpacking, targets.count == 1 {
                throw TemplateError.unsupported(line: line, what: "a tuple of one name in set")
            }
            return .set(targets, value, line: line)
        }
        guard targets.count == 1, !isUnpacking else { throw unexpected("“=”") }
        let filter = next == .sign("|") ? try filterChain(nil, isPiped: true) : nil
        return .capture(
            targets[0], try body(closedBy: "endset"), filter: filter, line: line)
    }

    private mutating func parameters() throws -> [(name: String, fallback: Expression?)] {
        var parameters: [(name: String, fallback: Expression?)] = []
        try expect(sign: "(")
        while next != .sign(")") {
            if !parameters.isEmpty { try expect(sign: ",") }
            if next == .sign(")") { break }
            let name = try name()
            let fallback = take(sign: "=") ? try expression() : nil
            if fallback == nil, parameters.last?.fallback != nil {
                throw problem("“\(name)” has no default, but the parameter before it has")
            }
            parameters.append((name, fallback))
        }
        try expect(sign: ")")
        return parameters
    }

    /// The body of a macro cannot see a loop around the macro.
    private mutating func macro(_ line: Int) throws -> Statement {
        let name = try name()
        let parameters = try parameters()
        let (body, extras) = try macroBody(closedBy: "endmacro")
        return .macro(
            Statement.Macro(name: name, parameters: parameters, body: body, extras: extras),
            line: line)
    }

    private mutating func macroBody(
        closedBy end: String
    ) throws -> (body: [Statement], extras: Set<String>) {
        let kept = (loops, extras)
        (loops, extras) = (0, [])
        defer { (loops, extras) = kept }
        return (try body(closedBy: end), extras)
    }

    private mutating func call(_ line: Int) throws -> Statement {
        let parameters = next == .sign("(") ? try parameters() : []
        let call = try expression()
        guard case .call = call else { throw problem("{% call %} wants a call") }
        let (body, extras) = try macroBody(closedBy: "endcall")
        let caller = Statement.Macro(
            name: "caller", parameters: parameters, body: body, extras: extras)
        return .call(call, caller: caller, line: line)
    }

    private mutating func with(_ line: Int) throws -> Statement {
        var assignments: [(Statement.Target, Expression)] = []
        while next != .closeBlock {
            if !assignments.isEmpty { try expect(sign: ",") }
            let target = try target()
            try expect(sign: "=")
            assignments.append((target, try expression()))
        }
        return .with(assignments, try body(closedBy: "endwith"), line: line)
    }
}
