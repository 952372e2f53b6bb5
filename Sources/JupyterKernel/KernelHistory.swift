import JSON

/// The statements that have run: in the workspace before this kernel, and in this kernel.
///
/// A client counts sessions of a kernel. Number 1 is the journal of the workspace as the kernel
/// found it, number 2 is the kernel's own time.
struct KernelHistory {
    struct Entry: Equatable {
        var session: Int
        var number: Int
        var input: String
        /// The text of its result; nil for none.
        var output: String?
    }

    private static let present = 2

    private(set) var entries: [Entry]

    init(earlier: [String]) {
        entries = earlier.enumerated().map { index, source in
            Entry(session: 1, number: index + 1, input: source)
        }
    }

    mutating func add(_ input: String, number: Int, result: String?) {
        entries.append(
            Entry(
                session: KernelHistory.present, number: number, input: input, output: result))
    }

    func reply(to content: JSON) -> [JSON.Member] {
        let wantsOutput = content["output"]?.bool ?? false
        let found = selected(content).map { entry -> JSON in
            let input = JSON.string(entry.input)
            return [
                .integer(entry.session), .integer(entry.number),
                wantsOutput ? [input, entry.output.map { .string($0) } ?? .null] : input,
            ]
        }
        return [.init("status", "ok"), .init("history", .array(found))]
    }

    private func selected(_ content: JSON) -> [Entry] {
        let count = content["n"]?.integer.map { max(0, $0) }
        switch content["hist_access_type"]?.string {
        case "range":
            // 0 is the present session, -1 the one before it.
            let asked = content["session"]?.integer ?? 0
            let session = asked > 0 ? asked : KernelHistory.present &+ asked
            let start = content["start"]?.integer ?? 0
            let stop = content["stop"]?.integer ?? Int.max
            return entries.filter {
                $0.session == session && $0.number >= start && $0.number < stop
            }
        case "search":
            let pattern = Glob(content["pattern"]?.string ?? "*")
            var found = entries.filter { pattern.matches($0.input) }
            if content["unique"]?.bool ?? false {
                var seen: Set<String> = []
                // Of equal inputs the last one stays, at its place.
                found = found.reversed().filter { seen.insert($0.input).inserted }.reversed()
            }
            return count.map { found.suffix($0) } ?? found
        default: return count.map { entries.suffix($0) } ?? entries
        }
    }
}

/// A pattern of the shell: `*` for any text, `?` for one character.
///
/// The time is at most the product of both lengths.
struct Glob {
    private let pattern: [Character]

    init(_ pattern: String) { self.pattern = Array(pattern) }

    func matches(_ text: String) -> Bool {
        let text = Array(text)
        var (place, at) = (0, 0)
        // The last star, and the text that it is known to cover.
        var star: (place: Int, at: Int)?
        while at < text.count {
            if place < pattern.count, pattern[place] == "*" {
                star = (place, at)
                place += 1
            } else if place < pattern.count, pattern[place] == "?" || pattern[place] == text[at] {
                (place, at) = (place + 1, at + 1)
            } else if let last = star {
                star = (last.place, last.at + 1)
                (place, at) = (last.place + 1, last.at + 1)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == "*" }
    }
}
