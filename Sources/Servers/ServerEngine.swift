import Foundation
import JSON
import LongWork
import TextModels

/// A server as an engine. Every answer is kept, and its request is not sent again.
public struct ServerEngine: TextEngine {
    public let server: Server
    private let store: any AnswerStore
    private let environment: [String: String]
    /// What the engine has done so far.
    public let usage = ServerUsage()

    /// - Parameter environment: where the variable with the key is looked up.
    public init(
        _ server: Server, keeping store: any AnswerStore,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) {
        self.server = server
        self.store = store
        self.environment = environment
    }

    /// One request of several that may be the same.
    private struct Asked {
        var body: RequestBody
        /// The request as it is kept: where it goes, and its body.
        var line: String
    }

    public func write(
        _ requests: [TextRequest], _ sampling: Sampling, stops: [String],
        progress: (WorkProgress) -> Continuation
    ) throws -> [WrittenText] {
        let asked = requests.map { self.asked($0, sampling, stops) }
        var answers: [String: ServerAnswer] = [:]
        var missing: [Asked] = []
        var seen: Set<String> = []
        for request in asked where seen.insert(request.line).inserted {
            if let kept = try kept(request.line) {
                answers[request.line] = kept
            } else {
                missing.append(request)
            }
        }
        usage.reused(answers.count)
        var tokens = 0
        func report() -> Continuation {
            progress(
                WorkProgress(
                    .generate, done: answers.count, of: seen.count, unit: .responses,
                    tokens: tokens))
        }
        if !missing.isEmpty {
            guard store.mayAsk else {
                throw ServerError.notKept(server: server.address.text, count: missing.count)
            }
            let run = RequestRun(server: server, key: try ServerKey(of: server, environment))
            let repetitions = try run.run(missing.map(\.body.json), watch: report) {
                index, answer in
                try store.keep(answer.kept.compact, to: missing[index].line)
                answers[missing[index].line] = answer
                tokens += answer.completionTokens ?? 0
                usage.asked(
                    reading: answer.promptTokens, writing: answer.completionTokens,
                    limit: sampling.maxTokens)
            }
            usage.repeated(repetitions)
        }
        let stopStrings = StopStrings(stops)
        return try asked.map { request in
            guard let answer = answers[request.line] else { throw Canceled() }
            return text(of: answer, request.body, stopStrings)
        }
    }

    private func asked(_ request: TextRequest, _ sampling: Sampling, _ stops: [String]) -> Asked {
        let body = RequestBody(request, sampling, stops: stops, server)
        let line: JSON = ["url": .string(server.endpoint), "body": body.json]
        return Asked(body: body, line: line.compact)
    }

    /// Whether the answer to a request is kept.
    func hasAnswer(to request: TextRequest, _ sampling: Sampling, _ stops: [String]) throws -> Bool
    {
        try kept(asked(request, sampling, stops).line) != nil
    }

    /// Whether both are copies of one engine.
    func isSame(as other: ServerEngine) -> Bool { usage === other.usage }

    private func kept(_ line: String) throws -> ServerAnswer? {
        guard let text = try store.answer(to: line) else { return nil }
        return (try? JSON.read(text)).flatMap { ServerAnswer(kept: $0) }
    }

    private func text(
        of answer: ServerAnswer, _ body: RequestBody, _ stopStrings: StopStrings
    ) -> WrittenText {
        guard let written = ServerEngine.withoutThoughts(answer.text) else {
            return WrittenText(text: "", ending: .length)
        }
        var (text, isCut) = stopStrings.cut(written)
        if body.stops.cut(written).isCut { usage.ignoredStop() }
        // The beginning that was asked for is the caller's to add.
        let start = text.drop(while: \.isWhitespace)
        if !body.beginning.isEmpty, start.hasPrefix(body.beginning) {
            text = String(start.dropFirst(body.beginning.count))
        }
        let isFinished = isCut || answer.finish.map { ["stop", "eos"].contains($0) } ?? true
        return WrittenText(text: text, ending: isFinished ? .stop : .length)
    }

    /// The text after the thoughts that some models write first, between `<think>` and `</think>`;
    /// a prompt may have the first of the two already. Nil if the thoughts have no end.
    static func withoutThoughts(_ text: String) -> String? {
        let start = text.drop(while: \.isWhitespace)
        guard let end = text.range(of: "</think>") else {
            return start.hasPrefix("<think>") ? nil : text
        }
        guard start.hasPrefix("<think>") || !text[..<end.lowerBound].contains("<think>") else {
            return text
        }
        return String(text[end.upperBound...].drop(while: \.isWhitespace))
    }
}
