extension CommandGrammar {
    /// The program with a diagnostic for each call of a function that nobody has defined: no
    /// function of the language, none that a statement of the program defines, and none that
    /// `isDefined` knows. A host does this before it runs the first statement.
    public func checkingCalls(
        of program: Program, isDefined: (String) -> Bool
    ) -> Program {
        guard program.diagnostics.isEmpty, !functions.isEmpty else { return program }
        var own: Set<String> = []
        collectNames(program.statements, into: &own)
        var result = program
        visitCalls(program.statements) { function, statement in
            let name = function.name
            guard !functions.contains(where: { $0.name == name }), !own.contains(name),
                !isDefined(name)
            else { return }
            let near =
                ForeignWord.advice(name) == nil
                ? nearest(name, in: functions.map(\.name) + own) : nil
            let error = SyntaxError(
                .unknownFunction(name, nearest: near), function.span,
                edits: near.map { [.init(span: function.span, replacement: $0)] } ?? [])
            guard result.diagnostics.count < Program.diagnosticLimit else {
                result.omittedDiagnostics += 1
                return
            }
            var diagnostic = Diagnostic(error)
            diagnostic.corrected = corrected(program.source, from: statement.span.lower, error)
            result.diagnostics.append(diagnostic)
        }
        if !result.diagnostics.isEmpty { result.completeness = .invalid }
        return result
    }

    /// Every name that the statements could bind.
    private func collectNames(_ statements: [Statement], into names: inout Set<String>) {
        for statement in statements {
            names.formUnion(statement.targets.map(\.name))
            switch statement.body {
            case .loop(let loop): names.formUnion(loop.names.map(\.name))
            case .function(let function): names.formUnion(function.parameters.map(\.name))
            case .command, .expression, .choice: break
            }
            collectNames(statement.inner, into: &names)
        }
    }

    private func visitCalls(
        _ statements: [Statement], _ visit: (Identifier, Statement) -> Void
    ) {
        for statement in statements {
            for node in statement.nodes {
                _ = node.contains { part in
                    if case .call(let function, _) = part.expression { visit(function, statement) }
                    return false
                }
            }
            visitCalls(statement.inner, visit)
        }
    }
}
