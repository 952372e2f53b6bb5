import CommandLanguage
import Commands

/// The names of a script that `-p name=value` can give values.
public struct ScriptParameters: Sendable {
    /// Names whose first assignment is a literal; `-p` replaces it. In order.
    public private(set) var literals: [String] = []
    /// Names that are read before any assignment.
    private var read: Set<String> = []
    private var assigned: Set<String> = []
    /// Whether nothing can be said: the script does not parse, or runs other scripts.
    public private(set) var isUnknown = false

    public init(of program: Program) {
        guard program.diagnostics.isEmpty else {
            isUnknown = true
            return
        }
        for statement in program.statements { note(statement) }
    }

    private mutating func note(_ statement: Statement) {
        var isLiteral = false
        switch statement.body {
        case .expression(let node):
            isLiteral = node.isLiteral
            note(node)
        case .command(let call):
            if call.verb.name == "source" { isUnknown = true }
            for node in statement.nodes { note(node) }
        case .loop(let loop):
            note(loop.list)
            assigned.formUnion(loop.names.map(\.name))
        case .choice: for node in statement.nodes { note(node) }
        case .function(let function):
            note(function.body, except: Set(function.parameters.map(\.name)))
        }
        noteInner(statement)
        for target in statement.targets.map(\.name) {
            if isLiteral, !assigned.contains(target) { literals.append(target) }
            assigned.insert(target)
        }
    }

    /// The statements of a block. Only an assignment of the script itself can be replaced, so their
    /// literals do not count.
    private mutating func noteInner(_ statement: Statement) {
        let own = literals
        for inner in statement.inner { note(inner) }
        literals = own
    }

    /// - Parameter except: names that have their values inside of the expression.
    private mutating func note(_ node: Node, except: Set<String> = []) {
        var names: Set<String> = []
        var own = except
        _ = node.contains { part in
            switch part.expression {
            case .name(let name): names.insert(name)
            case .comprehension(_, let clauses):
                for case .each(let variables, _) in clauses { own.formUnion(variables.map(\.name)) }
            default: break
            }
            return false
        }
        read.formUnion(names.subtracting(assigned).subtracting(own))
    }

    /// Whether a value from outside would have an effect.
    public func takes(_ name: String) -> Bool {
        isUnknown || literals.contains(name) || read.contains(name)
    }

    /// The sentence about a name that no script takes.
    public static func sentence(_ name: String, _ scripts: [ScriptParameters]) -> String {
        if scripts.contains(where: { $0.assigned.contains(name) }) {
            return "-p \(name): the script computes `\(name)`; only a literal value can be replaced"
        }
        let literals = scripts.flatMap(\.literals)
        var text = "-p \(name): the script has no `\(name)`"
        if let near = nearest(name, in: literals) {
            text += "; did you mean `\(near)`?"
        } else if !literals.isEmpty {
            text += "; it has " + literals.prefix(8).map { "`\($0)`" }.joined(separator: ", ")
        }
        return text
    }
}
