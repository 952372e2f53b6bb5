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
            for argument in call.operands + call.options.map(\.value) {
                if case .expression(let node) = argument.value { note(node) }
            }
        }
        guard let target = statement.target?.name else { return }
        if isLiteral, !assigned.contains(target) { literals.append(target) }
        assigned.insert(target)
    }

    private mutating func note(_ node: Node) {
        var names: Set<String> = []
        _ = node.contains { part in
            if case .name(let name) = part.expression { names.insert(name) }
            return false
        }
        read.formUnion(names.subtracting(assigned))
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
