import Foundation
import Tensors

/// The properties that decide numbers to the last bit, in addition to the statements: processor and
/// threads.
enum NumericEnvironment {
    static let description = "\(processor), \(Workers.count) threads"

    private static let processor: String = {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            let key = parts.first.map { $0.trimmingCharacters(in: .whitespaces) }
            if parts.count == 2, key == "model name" {
                return parts[1].trimmingCharacters(in: .whitespaces)
            }
        }
        return "unknown processor"
    }()
}
