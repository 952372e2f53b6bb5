import TextModels

/// One line of a rollouts file.
public struct RolloutLine: Sendable, Codable, Hashable {
    /// The number of the line in its file, counted from 1, for messages.
    public var line: Int
    public var query: QueryID
    public var constitution: Int
    public var prompt: TextOrTokens
    public var response: TextOrTokens
    /// How the response joins a prompt that a chat template wrote; nil for other prompts.
    public var chat: ChatJoint?

    public init(
        line: Int, query: QueryID, constitution: Int, prompt: TextOrTokens, response: TextOrTokens,
        chat: ChatJoint? = nil
    ) {
        self.line = line
        self.query = query
        self.constitution = constitution
        self.prompt = prompt
        self.response = response
        self.chat = chat
    }
}

extension Rollouts {
    /// Rollouts from the lines of a file, in the order in which queries first occur. The k-th line
    /// of a query and constitution is that constitution's k-th response.
    ///
    /// Prompt and response of a line are joined directly, or with `separator` between them. A query
    /// with the same response under two constitutions is rejected, as in sampled rollouts.
    ///
    /// - Throws: `AlignmentError.rolloutLine` if a line has an empty prompt or response, mixes text
    ///   and tokens, has another prompt than the first line of its constitution, has another `chat`
    ///   than the first line of its query, or has a number
    ///   that no constitution can have; `.rolloutGrid` if a query's constitutions are not numbered
    ///   from 0 without gaps or have unequal numbers of responses; `.noRollouts` if there is no
    ///   line.
    public init(lines: [RolloutLine], separator: String = "") throws {
        guard !lines.isEmpty else { throw AlignmentError.noRollouts }
        var order: [QueryID] = []
        var byQuery: [QueryID: [RolloutLine]] = [:]
        for line in lines {
            try Rollouts.check(line)
            if byQuery[line.query] == nil { order.append(line.query) }
            byQuery[line.query, default: []].append(line)
        }
        self.init(groups: [])
        for id in order {
            let group = try Rollouts.group(byQuery[id] ?? [], id: id, separator)
            if let twin = group.responses.first(where: group.hasTwin) {
                rejected.append(
                    Rejected(
                        id: id, reason: .identical, constitution: twin.constitution,
                        text: twin.text ?? "token ids"))
            } else {
                groups.append(group)
            }
        }
    }

    private static func check(_ line: RolloutLine) throws {
        if line.prompt.isEmpty { throw AlignmentError.rolloutLine(line.line, .emptyPrompt) }
        if line.response.isEmpty { throw AlignmentError.rolloutLine(line.line, .emptyResponse) }
        switch (line.prompt, line.response) {
        case (.text, .text), (.tokens, .tokens): break
        default: throw AlignmentError.rolloutLine(line.line, .mixedKinds)
        }
        guard (0..<Composer.largestCount).contains(line.constitution) else {
            throw AlignmentError.rolloutLine(line.line, .constitutionNumber(line.constitution))
        }
    }

    private static func group(
        _ lines: [RolloutLine], id: QueryID, _ separator: String
    ) throws -> RolloutGroup {
        var byConstitution: [Int: [RolloutLine]] = [:]
        for line in lines {
            if let first = byConstitution[line.constitution]?.first, first.prompt != line.prompt {
                throw AlignmentError.rolloutLine(line.line, .otherPrompt(first: first.line))
            }
            if let first = lines.first, first.chat != line.chat {
                throw AlignmentError.rolloutLine(line.line, .otherJoint(first: first.line))
            }
            byConstitution[line.constitution, default: []].append(line)
        }
        let rows = (0..<byConstitution.count).compactMap { byConstitution[$0] }
        let counts = rows.map(\.count)
        guard rows.count == byConstitution.count, let samples = counts.first,
            counts.allSatisfy({ $0 == samples })
        else {
            throw AlignmentError.rolloutGrid(
                query: id.text,
                counts: byConstitution.mapValues(\.count))
        }
        var responses: [Response] = []
        for sample in 0..<samples {
            for (constitution, row) in rows.enumerated() {
                responses.append(
                    Response(
                        content: row[sample].response, constitution: constitution, sample: sample))
            }
        }
        return RolloutGroup(
            id: id, prompts: rows.compactMap(\.first?.prompt), separator: separator,
            chat: rows.first?.first?.chat, responses: responses)
    }

    /// Lines that `init(lines:)` can read; the separator becomes part of the response.
    public var lines: [RolloutLine] {
        var lines: [RolloutLine] = []
        for group in groups {
            for response in group.responses
            where group.prompts.indices.contains(response.constitution) {
                var content = response.content
                if case .text(let text) = content { content = .text(group.separator + text) }
                lines.append(
                    RolloutLine(
                        line: lines.count + 1, query: group.id, constitution: response.constitution,
                        prompt: group.prompts[response.constitution], response: content,
                        chat: group.chat))
            }
        }
        return lines
    }
}

extension RolloutGroup {
    /// Whether an earlier constitution has the same response.
    fileprivate func hasTwin(_ response: Response) -> Bool {
        responses.contains {
            $0.constitution < response.constitution && $0.content == response.content
        }
    }
}
