/// The work of one expression: it is limited, and a user can stop it.
final class Work {
    /// Function calls within function calls.
    static let mostNested = 100
    /// Function calls, and items of comprehensions.
    static let mostSteps = 20_000_000

    /// Nodes within nodes, those of functions included: each takes some of the thread's stack, and
    /// the height of one tree is limited by the parser alone.
    static let deepest = 1000

    private var depth = 0
    private var level = 0
    private var steps = 0

    /// The beginning of a function call.
    func enter(interrupted: @autoclosure () -> Bool) throws(EvaluationError) {
        guard depth < Work.mostNested else {
            throw .tooMuchWork(
                "function calls nest more than \(Work.mostNested) deep: a function that calls itself needs an end"
            )
        }
        try step(interrupted: interrupted())
        depth += 1
    }

    func leave() { depth -= 1 }

    func descend() throws(EvaluationError) {
        guard level < Work.deepest else {
            throw .tooMuchWork(
                "functions and brackets nest more than \(Work.deepest) deep; a function may call "
                    + "itself")
        }
        level += 1
    }

    func ascend() { level -= 1 }

    func step(interrupted: @autoclosure () -> Bool) throws(EvaluationError) {
        steps += 1
        guard steps <= Work.mostSteps else {
            throw .tooMuchWork(
                "this takes more than \(Work.mostSteps / 1_000_000) million steps; divide it")
        }
        // One step may take long: the sum of a long list.
        if interrupted() { throw .interrupted("the expression was stopped") }
    }
}
