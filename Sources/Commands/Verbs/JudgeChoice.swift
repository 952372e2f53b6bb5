import Alignment
import CommandLanguage
import Foundation
import ShippedWorld
import TextModels
import Transformers
import Values

/// Who judges, as `judge=` says.
enum JudgeChoice {
    case measured
    case likelihood
    /// A model or a server that reads the responses.
    case reader(NamedVoice)

    /// - Throws: a sentence at `judge`, or at a key that this judge does not have.
    init(_ invocation: Invocation) throws {
        switch try invocation.word(invocation.argument("judge")) {
        case "measured": self = .measured
        case "likelihood": self = .likelihood
        default:
            guard let voice = try invocation.voice("judge") else {
                self = .measured
                break
            }
            self = .reader(voice)
        }
        if case .reader = self { return }
        for key in ["question", "controls", "verdict_tokens"] where invocation.has(key) {
            throw invocation.error(
                "`\(key)` is for a judge that reads: judge= names a model or a server", at: key)
        }
    }

    /// The judge, before anything is sampled for it.
    func judge(
        of queries: [Alignment.Query], principles: [String], _ invocation: Invocation
    ) throws -> any Judge {
        switch self {
        case .measured:
            let pairs = try invocation.objectIfBound(PrinciplesObject.self, "principles")?.pairs
            let measure = try CheckedMeasure(
                pairs ?? [], isStopped: invocation.session.stopWatch)
            guard measure.knows(queries, principles: principles) else {
                throw invocation.error(
                    "the measured judge knows the shipped world and principles with a check, and "
                        + "none of these are",
                    suggestion: "judge=likelihood asks the base model; principle … check= names a "
                        + "program")
            }
            return try MeasuredJudge(measure, queries: queries)
        case .likelihood:
            let base = try invocation.object(ModelObject.self, "base")
            return try LikelihoodJudge(try invocation.textModel(base), queries: queries)
        case .reader(let reader):
            var judge = try ModelJudge(
                reader.voice, template: try JudgeChoice.question(invocation, reader.voice),
                queries: queries, key: reader.key)
            if let count = try invocation.integer("controls", atLeast: 0, atMost: 10_000) {
                judge.controls = count
            }
            if let count = try invocation.integer("verdict_tokens", atLeast: 1, atMost: 1 << 16) {
                judge.sampling.maxTokens = count
            }
            return judge
        }
    }

    /// The question in a file; nil without one. A voice that answers messages gets it as a message.
    private static func question(
        _ invocation: Invocation, _ voice: Voice
    ) throws -> PromptTemplate? {
        guard let path = try invocation.path("question") else { return nil }
        let shown = try invocation.text("question") ?? path
        do {
            let text = try PromptFiles.text(path, shown: shown)
            invocation.noteFile(path)
            return try voice.prompts.isChat
                ? PromptTemplate(messages: [(.user, text)], for: .comparison)
                : PromptTemplate(file: text, for: .comparison)
        } catch let error as PromptError {
            throw invocation.located(
                EvaluationError.badFile(path: shown, problem: ErrorSentence.of(error)),
                at: "question")
        } catch {
            throw invocation.located(error, at: "question")
        }
    }

    /// What the judge was asked.
    var notes: [String] {
        if case .reader(let reader) = self { reader.notes } else { [] }
    }

    /// A sentence if the judge is one of the sides: models prefer their own texts.
    func selfNotes(_ sides: [JudgedPairs.Writer]) -> [String] {
        guard case .reader(let reader) = self else { return [] }
        return sides.filter { reader.isSame(as: $0) }.map {
            "the judge is `\($0.name)` itself, and models prefer what they wrote"
        }
    }

    /// A sentence if responses were to be read beside themselves and were not.
    func controlNotes(_ verdicts: Verdicts, _ judge: any Judge) -> [String] {
        guard let judge = judge as? ModelJudge, judge.controls > 0, verdicts.control == nil,
            !verdicts.isStopped
        else { return [] }
        return ["stopped before responses were read beside themselves, so no place is reported"]
    }
}

extension NamedVoice {
    /// Whether a side was written by the same weights, or by the same model of one server. Of old
    /// verdicts only the name is known.
    fileprivate func isSame(as side: JudgedPairs.Writer) -> Bool {
        if let model = side.model {
            return self.model.map { model.model.hasWeights(of: $0.model) } ?? false
        }
        guard !side.servers.isEmpty else { return voice.name == side.name }
        return side.servers.contains { other in
            servers.contains {
                $0.engine.server.address == other.address && $0.engine.server.model == other.model
            }
        }
    }
}
