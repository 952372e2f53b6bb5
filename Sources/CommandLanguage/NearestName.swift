/// The candidate that a misspelled name most likely means; nil if none is close.
///
/// A candidate is close if it differs by at most one edit in three characters. An edit inserts,
/// drops or replaces a character or swaps two neighbors (optimal string alignment distance); letter
/// case counts little. A name of three or more characters is also close if it is the beginning of
/// exactly one candidate. Names beyond 64 characters have no nearest name, which keeps the cost
/// below a few microseconds a candidate.
public func nearest(_ name: String, in candidates: some Sequence<String>) -> String? {
    let wanted = Array(name.unicodeScalars)
    guard !wanted.isEmpty, wanted.count <= 64 else { return nil }
    let folded = Array(name.lowercased().unicodeScalars)
    let allowed = max(1, wanted.count / 3)
    var best: (candidate: String, cost: Int)?
    var startingWith: [String] = []
    for candidate in candidates where candidate != name {
        let scalars = Array(candidate.unicodeScalars)
        guard !scalars.isEmpty, scalars.count <= 64 else { continue }
        let lowered = Array(candidate.lowercased().unicodeScalars)
        if lowered.starts(with: folded) { startingWith.append(candidate) }
        guard abs(lowered.count - folded.count) <= allowed else { continue }
        let edits = editDistance(folded, lowered)
        // A single letter is similar to every other letter, so no replacement is suggested for it.
        guard edits <= allowed, edits < max(folded.count, lowered.count) else { continue }
        // Doubled, to leave room for preferring equal letter case.
        let cost = 2 * edits + (scalars.starts(with: wanted.prefix(1)) ? 0 : 1)
        if best == nil || cost < best!.cost { best = (candidate, cost) }
    }
    if let best { return best.candidate }
    return wanted.count >= 3 && startingWith.count == 1 ? startingWith[0] : nil
}

/// Optimal string alignment distance: insertions, deletions, replacements and swaps of neighbors.
func editDistance(_ first: [Unicode.Scalar], _ second: [Unicode.Scalar]) -> Int {
    if first.isEmpty { return second.count }
    if second.isEmpty { return first.count }
    var beforeLast = [Int](repeating: 0, count: second.count + 1)
    var last = Array(0...second.count)
    for i in 1...first.count {
        var current = [i] + [Int](repeating: 0, count: second.count)
        for j in 1...second.count {
            let replacing = last[j - 1] + (first[i - 1] == second[j - 1] ? 0 : 1)
            var cost = min(replacing, last[j] + 1, current[j - 1] + 1)
            if i > 1, j > 1, first[i - 1] == second[j - 2], first[i - 2] == second[j - 1] {
                cost = min(cost, beforeLast[j - 2] + 1)
            }
            current[j] = cost
        }
        beforeLast = last
        last = current
    }
    return last[second.count]
}
