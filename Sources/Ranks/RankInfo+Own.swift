import Foundation
import Glibc
import Tensors

extension RankInfo {
    /// This process.
    ///
    /// - Parameter memory: bytes that it may take.
    public static func own(memory: Int) -> RankInfo {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        let host = name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
        return RankInfo(
            host: String(decoding: host, as: UTF8.self), process: getpid(), threads: Workers.count,
            memory: memory, processor: processor, speed: speed(),
            program: RankCrew.digest(ofFile: "/proc/self/exe"))
    }

    private static var processor: String {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("model name") }
        return line?.split(separator: ":").last?.trimmingCharacters(in: .whitespaces) ?? "unknown"
    }

    /// The best of three products of 512 by 512.
    private static func speed() -> Double {
        let side = 512
        let matrix = Tensor(repeating: 0.5, shape: [side, side])
        var best = Duration.seconds(1)
        for _ in 0..<3 {
            best = min(
                best, ContinuousClock().measure { _ = multiply(matrix, transposed: [matrix]) })
        }
        let seconds = Double(best.components.attoseconds) * 1e-18 + Double(best.components.seconds)
        return Double(side * side * side) / max(seconds, 1e-9) * 1e-9
    }
}

extension RankMessage {
    /// A sign of life before the first report of a task.
    public static func sign(of rank: Int) -> RankMessage? {
        try? RankMessage(.progress, rank: Int32(rank), RankProgress())
    }
}
