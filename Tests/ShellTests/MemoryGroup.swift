import Foundation

/// A limit on the memory of some processes: a control group of Linux, which needs root.
final class MemoryGroup {
    private let path: String
    private let isUnified: Bool

    /// Whether this process may make groups.
    static let isAllowed = MemoryGroup(bytes: 1 << 30) != nil

    /// Nil where groups cannot be made.
    init?(bytes: Int) {
        let root = "/sys/fs/cgroup"
        isUnified = FileManager.default.fileExists(atPath: root + "/cgroup.controllers")
        path = (isUnified ? root : root + "/memory") + "/sami-\(UUID().uuidString)"
        guard mkdir(path, 0o755) == 0 else { return nil }
        let isLimited =
            isUnified
            ? write("\(bytes)", to: "memory.max") && write("0", to: "memory.swap.max")
            : write("\(bytes)", to: "memory.limit_in_bytes")
        guard isLimited else {
            rmdir(path)
            return nil
        }
        // Not every kernel counts swap.
        if !isUnified { write("\(bytes)", to: "memory.memsw.limit_in_bytes") }
    }

    deinit { rmdir(path) }

    @discardableResult
    func add(_ process: Int) -> Bool { write("\(process)", to: "cgroup.procs") }

    /// Most bytes that the processes took together.
    var peak: Int? {
        let name = isUnified ? "memory.peak" : "memory.max_usage_in_bytes"
        let text = try? String(contentsOfFile: path + "/" + name, encoding: .utf8)
        return text.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }

    @discardableResult
    private func write(_ text: String, to name: String) -> Bool {
        guard let file = FileHandle(forWritingAtPath: path + "/" + name) else { return false }
        return (try? file.write(contentsOf: Data(text.utf8))) != nil
    }
}
