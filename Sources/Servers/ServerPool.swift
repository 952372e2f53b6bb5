import Foundation
import LongWork
import Synchronization
import TextModels

/// Several servers as one engine: each has a share of the requests, and those of a server that
/// fails go to the others.
///
/// A request that any of them has answered is not asked again, whichever answered it.
public struct ServerPool: TextEngine {
    public let engines: [ServerEngine]

    public init(_ engines: [ServerEngine]) { self.engines = engines }

    public func write(
        _ requests: [TextRequest], _ sampling: Sampling, stops: [String],
        progress: (WorkProgress) -> Continuation
    ) throws -> [WrittenText] {
        var texts = [WrittenText?](repeating: nil, count: requests.count)
        var working = engines
        var failure: (any Error)?
        while true {
            let left = requests.indices.filter { texts[$0] == nil }
            guard !left.isEmpty else { break }
            let shares = try shares(of: left, requests, sampling, stops, among: working)
            let round = Round(shares.map(\.places.count))
            let results = run(shares, requests, sampling, stops, round) { step in
                let done = requests.count - left.count + step.finished
                return progress(
                    WorkProgress(
                        .generate, done: done, of: requests.count, unit: .responses,
                        tokens: step.tokens))
            }
            var failed: [Int] = []
            for (number, (share, result)) in zip(shares, results).enumerated() {
                switch result {
                case .success(let written):
                    for (place, text) in zip(share.places, written) { texts[place] = text }
                case .failure(let error):
                    // Kept answers are asked of nobody, so another server would not help.
                    if error is Canceled || share.isKept { throw error }
                    failure = failure ?? error
                    share.engine.usage.failed("\(error)")
                    failed.append(number)
                }
            }
            // Each round, a server fails or all requests are answered.
            working.removeAll { engine in failed.contains { shares[$0].engine.isSame(as: engine) } }
            if working.isEmpty, let failure { throw failure }
        }
        return texts.compactMap(\.self)
    }

    private struct Share: Sendable {
        var engine: ServerEngine
        var places: [Int]
        /// Whether all of its answers are kept.
        var isKept = false
    }

    /// Kept answers with the server that gave them; the other requests by the numbers of requests
    /// that the servers take at once.
    private func shares(
        of left: [Int], _ requests: [TextRequest], _ sampling: Sampling, _ stops: [String],
        among working: [ServerEngine]
    ) throws -> [Share] {
        var kept = engines.map { Share(engine: $0, places: [], isKept: true) }
        var open: [Int] = []
        for place in left {
            if let owner = try engines.firstIndex(where: {
                try $0.hasAnswer(to: requests[place], sampling, stops)
            }) {
                kept[owner].places.append(place)
            } else {
                open.append(place)
            }
        }
        if open.count < left.count { return kept.filter { !$0.places.isEmpty } }
        let weights = working.map(\.server.concurrency)
        let all = weights.reduce(0, +)
        var (start, sum) = (0, 0)
        return zip(working, weights).map { engine, weight in
            sum += weight
            let end = open.count * sum / max(1, all)
            defer { start = end }
            return Share(engine: engine, places: Array(open[start..<end]))
        }.filter { !$0.places.isEmpty }
    }

    /// Asks all servers at once, each on a thread of its own.
    private func run(
        _ shares: [Share], _ requests: [TextRequest], _ sampling: Sampling, _ stops: [String],
        _ round: Round, _ progress: (Round.Step) -> Continuation
    ) -> [Result<[WrittenText], any Error>] {
        for (number, share) in shares.enumerated() {
            let own = share.places.map { requests[$0] }
            let thread = Thread {
                round.finish(
                    number,
                    Result {
                        try share.engine.write(own, sampling, stops: stops) {
                            round.report(number, .init(finished: $0.done, tokens: $0.tokens))
                        }
                    })
            }
            thread.name = "sami server \(number + 1)"
            thread.start()
        }
        while !round.wait(seconds: 0.05) {
            if progress(round.step) == .stop { round.stop() }
        }
        _ = progress(round.step)
        return round.results
    }
}

/// The servers that are asked at once.
private final class Round: Sendable {
    struct Step {
        var finished = 0
        var tokens = 0
    }

    private struct State {
        var steps: [Step]
        var results: [Result<[WrittenText], any Error>?]
        var isStopped = false
    }

    private let state: Mutex<State>
    private let done = DispatchSemaphore(value: 0)
    private let count: Int

    init(_ sizes: [Int]) {
        count = sizes.count
        state = Mutex(
            State(
                steps: [Step](repeating: Step(), count: sizes.count),
                results: [Result<[WrittenText], any Error>?](repeating: nil, count: sizes.count)))
    }

    func report(_ number: Int, _ step: Step) -> Continuation {
        state.withLock {
            $0.steps[number] = step
            return $0.isStopped ? .stop : .more
        }
    }

    func finish(_ number: Int, _ result: sending Result<[WrittenText], any Error>) {
        state.withLock { $0.results[number] = result }
        done.signal()
    }

    func stop() { state.withLock { $0.isStopped = true } }

    /// Whether all have finished, after some time.
    func wait(seconds: Double) -> Bool {
        _ = done.wait(timeout: .now() + seconds)
        return state.withLock { $0.results.allSatisfy { $0 != nil } }
    }

    var step: Step {
        state.withLock {
            $0.steps.reduce(into: Step()) {
                $0.finished += $1.finished
                $0.tokens += $1.tokens
            }
        }
    }

    var results: [Result<[WrittenText], any Error>] {
        state.withLock { $0.results.compactMap(\.self) }
    }
}
