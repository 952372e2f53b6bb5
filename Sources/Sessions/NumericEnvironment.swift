import Foundation
import Tensors

/// The properties that decide numbers to the last bit, in addition to the statements: processor,
/// threads, and whether products are computed otherwise than the libraries would choose.
package enum NumericEnvironment {
    static let description =
        "\(processor), \(Workers.count) threads"
        + (BFloat16Matmul.isSet ? ", SAMI_BFLOAT16=\(variable("SAMI_BFLOAT16"))" : "")
        + (isPlainWord(kernels) ? ", OPENBLAS_CORETYPE=\(kernels)" : "")

    /// The kernels that the environment has OpenBLAS use, which else chooses by the processor.
    private static let kernels = variable("OPENBLAS_CORETYPE")

    /// Letters and digits, as the names of OpenBLAS's kernels are; it ignores others.
    static func isPlainWord(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 32
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
    }

    /// A sentence for each variable of the environment that has a value without a meaning.
    package static var problems: [String] {
        let threads = variable("SAMI_THREADS")
        var problems: [String] = []
        if !threads.isEmpty, Int(threads) != Workers.count {
            problems.append(
                "SAMI_THREADS is “\(threads)”, which is no number from 1 to "
                    + "\(Workers.mostThreads); \(Workers.count) are used")
        }
        let bfloat16 = variable("SAMI_BFLOAT16")
        if !bfloat16.isEmpty, !BFloat16Matmul.isSet {
            problems.append(
                "SAMI_BFLOAT16 is “\(bfloat16)”, which is neither “off” nor “portable”; it changes "
                    + "nothing")
        }
        return problems
    }

    private static func variable(_ name: String) -> String {
        ProcessInfo.processInfo.environment[name] ?? ""
    }

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
