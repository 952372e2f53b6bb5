import Foundation

extension MemoryPlan {
    /// Memory that this process can still take without swapping, in bytes: the system's own figure,
    /// or less if a container or a job scheduler has set a limit (cgroup version 1 or 2). 2 GiB if
    /// the system reports nothing.
    public static var availableBytes: Int { availableBytes(root: "/") }

    /// - Parameter root: the folder that holds `proc` and `sys`; tests give their own.
    static func availableBytes(root: String) -> Int {
        let system = SystemFiles(root: root)
        let free = system.free ?? 2 << 30
        return max(0, min(free, system.leftInGroups ?? free))
    }
}

/// The files in which Linux reports memory.
private struct SystemFiles {
    let root: String

    private func text(_ path: String) -> String? {
        let file = URL(fileURLWithPath: root).appendingPathComponent(path)
        return try? String(contentsOf: file, encoding: .utf8)
    }

    /// A file with one number; nil if it is missing or says "max".
    private func number(_ path: String) -> Int? {
        text(path).flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }

    /// `MemAvailable` of `/proc/meminfo`.
    var free: Int? {
        text("proc/meminfo")?.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
            .flatMap { $0.split(separator: " ").dropFirst().first }
            .flatMap { Int($0) }.map { $0 * 1024 }
    }

    /// What the tightest limit of this process's control groups, and of the groups above them,
    /// leaves; nil without a limit.
    var leftInGroups: Int? {
        var left: Int?
        for group in groups {
            var path = group.path
            while true {
                let folder = group.mount + path
                if let limit = number(folder + group.limit), let used = number(folder + group.used)
                {
                    // Pages of files can be dropped at any time, so they do not count as used.
                    let files = inactiveFilePages(folder + "/memory.stat", group.inactive)
                    left = min(left ?? .max, max(0, limit - max(0, used - files)))
                }
                guard let slash = path.lastIndex(of: "/"), !path.isEmpty else { break }
                path = String(path[..<slash])
            }
        }
        return left
    }

    private func inactiveFilePages(_ path: String, _ key: String) -> Int {
        text(path)?.split(separator: "\n").first { $0.hasPrefix(key + " ") }
            .flatMap { $0.split(separator: " ").last }.flatMap { Int($0) } ?? 0
    }

    private struct Group {
        let mount: String
        /// Below the mount, beginning with a slash; empty for the root group.
        let path: String
        let limit, used, inactive: String
    }

    /// The groups of `/proc/self/cgroup`: lines of "number:controllers:path". A container often
    /// sees its own group as the root of the mount, whatever the path says, so the root is asked
    /// too.
    private var groups: [Group] {
        let lines = text("proc/self/cgroup")?.split(separator: "\n") ?? []
        return lines.flatMap { line -> [Group] in
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { return [] }
            let path = parts[2] == "/" ? "" : String(parts[2])
            if parts[1].isEmpty {
                return [
                    Group(
                        mount: "sys/fs/cgroup", path: path, limit: "/memory.max",
                        used: "/memory.current", inactive: "inactive_file")
                ]
            }
            guard parts[1].split(separator: ",").contains("memory") else { return [] }
            return [
                Group(
                    mount: "sys/fs/cgroup/memory", path: path, limit: "/memory.limit_in_bytes",
                    used: "/memory.usage_in_bytes", inactive: "total_inactive_file")
            ]
        }
    }
}
