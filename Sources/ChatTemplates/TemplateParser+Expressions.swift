/// Expressions by precedence, loosest first, as in Jinja's parser.
extension TemplateParser {
    /// An expression and the nesting depth of its operations.
    private typealias Tree = (expression: Expression, height: Int)

    mutating func expression() throws -> Expression {
        try tree().expression
    }

    /// Expressions with commas between them are a tuple. `isConditional` is false if a following
    /// `if` does not belong to the expression.
    mutating func tuple(isConditional: Bool = true) throws -> Expression {
        try tuple(isConditional: isConditional, mayBeEmpty: false).expression
    }

    /// `| name(…) | name`; in `{% filter name %}` the first has no bar.
    mutating func filterChain(
        _ value: Expression?, isPiped: Bool = false
    ) throws -> Expression {
        if isPiped { try expect(sign: "|") }
        var filter = try self.filter(nil, height: 0)
        while take(sign: "|") { filter = try self.filter(filter.expression, height: filter.height) }
        return filter.expression
    }

    private func grown(_ expression: Expression, over heights: Int...) throws -> Tree {
        try grown(expression, over: heights)
    }

    private func grown(_ expression: Expression, over heights: [Int]) throws -> Tree {
        let height = 1 + (heights.max() ?? 0)
        guard height <= TemplateLimits.height else {
            throw TemplateError.tooMuch(
                line: line, what: "has more than \(TemplateLimits.height) operations in a chain")
        }
        return (expression, height)
    }

    private mutating func tuple(isConditional: Bool, mayBeEmpty: Bool) throws -> Tree {
        var parts: [Tree] = []
        var isTuple = false
        while !isAtTupleEnd {
            parts.append(try nested { try isConditional ? $0.conditional() : $0.disjunction() })
            guard take(sign: ",") else { break }
            isTuple = true
        }
        if !isTuple {
            if let only = parts.first { return only }
            guard mayBeEmpty else { throw unexpected("an expression") }
        }
        return try grown(.tuple(parts.map(\.expression)), over: parts.map(\.height))
    }

    private var isAtTupleEnd: Bool {
        switch next {
        case nil, .closeVariable, .closeBlock, .sign(")"): true
        default: false
        }
    }

    private mutating func tree() throws -> Tree {
        try nested { try $0.conditional() }
    }

    private mutating func conditional() throws -> Tree {
        var value = try disjunction()
        while take(word: "if") {
            let test = try disjunction()
            var otherwise: Tree?
            if take(word: "else") { otherwise = try tree() }
            value = try grown(
                .conditional(
                    value.expression, test: test.expression, otherwise: otherwise?.expression),
                over: value.height, test.height, otherwise?.height ?? 0)
        }
        return value
    }

    private mutating func disjunction() throws -> Tree {
        var left = try conjunction()
        while take(word: "or") {
            let right = try conjunction()
            left = try grown(
                .or(left.expression, right.expression), over: left.height, right.height)
        }
        return left
    }

    private mutating func conjunction() throws -> Tree {
        var left = try negation()
        while take(word: "and") {
            let right = try negation()
            left = try grown(
                .and(left.expression, right.expression), over: left.height, right.height)
        }
        return left
    }

    private mutating func negation() throws -> Tree {
        var count = 0
        while take(word: "not") { count += 1 }
        var value = try comparison()
        for _ in 0..<count { value = try grown(.not(value.expression), over: value.height) }
        return value
    }

    private mutating func comparison() throws -> Tree {
        let first = try arithmetic(Self.loosest)
        var others: [(Expression.Comparison, Expression)] = []
        var heights = [first.height]
        while let comparison = takeComparison() {
            let other = try arithmetic(Self.loosest)
            others.append((comparison, other.expression))
            heights.append(other.height)
        }
        if others.isEmpty { return first }
        return try grown(.comparison(first.expression, others), over: heights)
    }

    private mutating func takeComparison() -> Expression.Comparison? {
        switch next {
        case .sign(let sign):
            guard let comparison = Expression.Comparison(rawValue: sign) else { return nil }
            advance()
            return comparison
        case .name("in"):
            advance()
            return .contained
        case .name("not") where afterNext == .name("in"):
            advance()
            advance()
            return .notContained
        default: return nil
        }
    }

    /// Operators of equal precedence, loosest first; `~` joins texts.
    private static let levels: [[String]] = [
        ["+", "-"], ["~"], ["*", "/", "//", "%"], ["**"],
    ]
    private static let loosest = 0

    private mutating func arithmetic(_ level: Int) throws -> Tree {
        guard level < Self.levels.count else { return try unary(withFilters: true) }
        var left = try arithmetic(level + 1)
        var joined: [Tree] = []
        while case .sign(let sign) = next, Self.levels[level].contains(sign) {
            advance()
            let right = try arithmetic(level + 1)
            if let operation = Expression.Operator(rawValue: sign) {
                left = try grown(
                    .binary(operation, left.expression, right.expression),
                    over: left.height, right.height)
            } else {
                if joined.isEmpty { joined = [left] }
                joined.append(right)
            }
        }
        if joined.isEmpty { return left }
        return try grown(
            .concatenation(joined.map(\.expression)), over: joined.map(\.height))
    }

    private mutating func unary(withFilters: Bool) throws -> Tree {
        var value: Tree
        if next == .sign("-") || next == .sign("+") {
            let isNegative = next == .sign("-")
            advance()
            let inner = try nested { try $0.unary(withFilters: false) }
            value = try grown(
                isNegative ? .negative(inner.expression) : .positive(inner.expression),
                over: inner.height)
        } else {
            value = try primary()
        }
        value = try postfix(value)
        return withFilters ? try filtersAndTests(value) : value
    }

    private mutating func primary() throws -> Tree {
        guard let kind = next else { throw unexpected("an expression") }
        switch kind {
        case .name(let name):
            advance()
            switch name {
            case "true", "True": return (.bool(true), 1)
            case "false", "False": return (.bool(false), 1)
            case "none", "None": return (.none, 1)
            case "varargs", "kwargs", "caller":
                extras.insert(name)
                return (.name(name), 1)
            default: return (.name(name), 1)
            }
        case .string(var text):
            advance()
            while case .string(let more) = next {
                advance()
                text += more
            }
            return (.string(text), 1)
        case .integer(let number):
            advance()
            return (.integer(number), 1)
        case .float(let number):
            advance()
            return (.float(number), 1)
        case .sign("("):
            advance()
            let value = try tuple(isConditional: true, mayBeEmpty: true)
            try expect(sign: ")")
            return value
        case .sign("["): return try list()
        case .sign("{"): return try dictionary()
        default: throw unexpected("an expression")
        }
    }

    private mutating func list() throws -> Tree {
        advance()
        var parts: [Tree] = []
        while next != .sign("]") {
            if !parts.isEmpty { try expect(sign: ",") }
            if next == .sign("]") { break }
            parts.append(try tree())
        }
        try expect(sign: "]")
        return try grown(.list(parts.map(\.expression)), over: parts.map(\.height))
    }

    private mutating func dictionary() throws -> Tree {
        advance()
        var members: [(key: Expression, value: Expression)] = []
        var heights: [Int] = []
        while next != .sign("}") {
            if !members.isEmpty { try expect(sign: ",") }
            if next == .sign("}") { break }
            let key = try tree()
            try expect(sign: ":")
            let value = try tree()
            members.append((key.expression, value.expression))
            heights += [key.height, value.height]
        }
        try expect(sign: "}")
        return try grown(.dictionary(members), over: heights)
    }

    private mutating func postfix(_ value: Tree) throws -> Tree {
        var value = value
        while true {
            switch next {
            case .sign("."): value = try attribute(value)
            case .sign("["): value = try subscripted(value)
            case .sign("("): value = try call(value)
            default: return value
            }
        }
    }

    private mutating func attribute(_ value: Tree) throws -> Tree {
        advance()
        if case .integer(let number) = next {
            advance()
            return try grown(.item(value.expression, .integer(number)), over: value.height)
        }
        return try grown(.attribute(value.expression, try name()), over: value.height)
    }

    private mutating func subscripted(_ value: Tree) throws -> Tree {
        advance()
        if next == .sign("]") { throw unexpected("an index") }
        var bounds: [Tree?] = []
        var colons = 0
        var current: Tree?
        while next != .sign("]") {
            if take(sign: ":") {
                colons += 1
                bounds.append(current)
                current = nil
                guard colons <= 2 else { throw unexpected("“]”") }
            } else if current == nil {
                current = try tree()
            } else if next == .sign(",") {
                throw TemplateError.unsupported(line: line, what: "an index of several values")
            } else {
                throw unexpected("“]”")
            }
        }
        try expect(sign: "]")
        bounds.append(current)
        guard colons > 0 else {
            guard let index = current else { throw unexpected("an index") }
            return try grown(
                .item(value.expression, index.expression), over: value.height, index.height)
        }
        let parts = bounds + Array(repeating: nil, count: 3 - bounds.count)
        return try grown(
            .slice(
                value.expression, parts[0]?.expression, parts[1]?.expression,
                parts[2]?.expression),
            over: [value.height] + parts.map { $0?.height ?? 0 })
    }

    private mutating func call(_ value: Tree) throws -> Tree {
        let (arguments, height) = try arguments()
        return try grown(.call(value.expression, arguments), over: value.height, height)
    }

    private mutating func arguments() throws -> (Expression.Arguments, height: Int) {
        try expect(sign: "(")
        var arguments = Expression.Arguments()
        var height = 0
        var isFirst = true
        while next != .sign(")") {
            if !isFirst { try expect(sign: ",") }
            if next == .sign(")") { break }
            isFirst = false
            if next == .sign("*") || next == .sign("**") {
                throw TemplateError.unsupported(line: line, what: "unpacked arguments")
            }
            if case .name(let name) = next, afterNext == .sign("=") {
                advance()
                advance()
                let value = try tree()
                arguments.named.append((name, value.expression))
                height = max(height, value.height)
            } else {
                guard arguments.named.isEmpty else {
                    throw problem("a named argument is followed by one without a name")
                }
                let value = try tree()
                arguments.values.append(value.expression)
                height = max(height, value.height)
            }
        }
        try expect(sign: ")")
        return (arguments, height)
    }

    private mutating func filtersAndTests(_ value: Tree) throws -> Tree {
        var value = value
        while true {
            switch next {
            case .sign("|"):
                advance()
                value = try filter(value.expression, height: value.height)
            case .name("is"): value = try test(value)
            case .sign("("): value = try call(value)
            default: return value
            }
        }
    }

    private mutating func filter(_ value: Expression?, height: Int) throws -> Tree {
        var name = try name()
        while take(sign: ".") { name += "." + (try self.name()) }
        guard next == .sign("(") else {
            return try grown(.filter(value, name, Expression.Arguments()), over: height)
        }
        let (arguments, inner) = try arguments()
        return try grown(.filter(value, name, arguments), over: height, inner)
    }

    private mutating func test(_ value: Tree) throws -> Tree {
        advance()
        let isNegated = take(word: "not")
        var name = try name()
        while take(sign: ".") { name += "." + (try self.name()) }
        var arguments = Expression.Arguments()
        var height = 0
        var takesOne = false
        switch next {
        case .sign("("): (arguments, height) = try self.arguments()
        case .name("is"): throw problem("tests cannot be chained with “is”")
        case .name(let word): takesOne = !["else", "or", "and"].contains(word)
        case .string, .integer, .float, .sign("["), .sign("{"): takesOne = true
        default: break
        }
        if takesOne {
            let argument = try postfix(primary())
            arguments.values = [argument.expression]
            height = argument.height
        }
        return try grown(
            .test(value.expression, name, arguments, isNegated: isNegated),
            over: value.height, height)
    }
}
