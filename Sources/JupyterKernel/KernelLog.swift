import Foundation

/// Sentences about requests, on standard error: a server of notebooks keeps them.
///
/// Whoever reaches the sockets can make any number of them, so the first ten are written, then ever
/// fewer.
struct KernelLog {
    private static let longest = 200
    private var count = 0

    mutating func add(_ sentence: String) {
        count += 1
        guard count <= 10 || count & (count - 1) == 0 else { return }
        let number = count > 10 ? " (\(count) sentences so far)" : ""
        KernelLog.write(sentence + number)
    }

    static func write(_ sentence: String) {
        let shown = sentence.count > longest ? sentence.prefix(longest) + "…" : sentence[...]
        try? FileHandle.standardError.write(contentsOf: Data("sami kernel: \(shown)\n".utf8))
    }
}
