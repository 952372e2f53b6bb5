import CommandLanguage
import Commands
import Foundation
import Rendering
import Values

/// A script that waits before each of its statements.
struct Stepping {
    /// Nil where nobody can be asked: the statements are only shown.
    let ask: (() -> StepAnswer)?
    /// Receives what statements show that a person types in between.
    let events: (SessionEvent) -> Void
}

extension Session {
    @discardableResult
    package func run(script: Data, file: String, _ manner: ScriptManner) throws -> Bool {
        let program = try Session.program(ofScript: script, path: file)
        guard sourceDepth < 16 else {
            throw EvaluationError.other(
                "scripts run scripts more than 16 deep; one may run itself")
        }
        sourceDepth += 1
        let outer = (events: events, stepping: stepping, showsScript: showsScript)
        stepping = manner == .stepped ? Stepping(ask: askStep) { outer.events?($0) } : nil
        showsScript = manner != .hidden
        defer {
            sourceDepth -= 1
            (stepping, showsScript) = (outer.stepping, outer.showsScript)
        }
        var failure: Failure?
        wasLeft = false
        evaluate(program) { event in
            if case .finished(let outcome) = event, case .failure(let found) = outcome.result {
                failure = failure ?? found
            } else {
                outer.events?(event)
            }
        }
        if let failure { throw failure }
        return !wasLeft && !isFinished
    }

    /// Asks the person before statement `index` of a script. False: the person leaves the script.
    func isWanted(_ index: Int, of program: Program) -> Bool {
        guard let stepping, let ask = stepping.ask else { return true }
        while true {
            switch ask() {
            case .run: return true
            case .leave:
                let place = "left before statement \(index + 1) of \(program.statements.count)"
                stepping.events(.display(Display(StyledText(place, .faint))))
                wasLeft = true
                return false
            case .statement(let text):
                runBetween(text, stepping)
                if isFinished { return false }
            }
        }
    }

    /// Runs a statement that a person types before the next one of a script, as at the prompt.
    private func runBetween(_ text: String, _ stepping: Stepping) {
        let depth = sourceDepth
        sourceDepth = 0
        self.stepping = nil
        defer {
            sourceDepth = depth
            self.stepping = stepping
        }
        evaluate(Session.parse(text), events: stepping.events)
        interruption.clear()
    }
}
