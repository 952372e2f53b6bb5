import Foundation
import Testing

@testable import Transformers

/// The limits of containers, on folders that look like `/proc` and `/sys`.
@Suite struct AvailableMemoryTests {
    private func available(_ files: [String: String]) throws -> Int {
        let root = FileManager.default.temporaryDirectory
            .appendingPathComponent("memory-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        for (path, text) in files {
            let file = root.appendingPathComponent(path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        return MemoryPlan.availableBytes(root: root.path)
    }

    private let meminfo = [
        "proc/meminfo": "MemTotal:       16000000 kB\nMemAvailable:    8000000 kB\n"
    ]
    private let free = 8_000_000 * 1024

    @Test func `without a limit the free memory of the machine counts`() throws {
        #expect(try available(meminfo) == free)
        #expect(try available([:]) == 2 << 30)
        let unlimited = [
            "proc/self/cgroup": "0::/user\n", "sys/fs/cgroup/user/memory.max": "max\n",
            "sys/fs/cgroup/user/memory.current": "1000\n",
        ]
        #expect(try available(meminfo.merging(unlimited) { $1 }) == free)
    }

    @Test func `a limit of version 2 leaves what is not used, file pages aside`() throws {
        let files = [
            "proc/self/cgroup": "0::/job/step\n",
            "sys/fs/cgroup/job/step/memory.max": "1000000000\n",
            "sys/fs/cgroup/job/step/memory.current": "600000000\n",
            "sys/fs/cgroup/job/step/memory.stat": "anon 1\ninactive_file 250000000\n",
        ]
        #expect(try available(meminfo.merging(files) { $1 }) == 650_000_000)
    }

    @Test func `the tightest limit of the groups above counts, and the root of a container`() throws
    {
        var files = [
            "proc/self/cgroup": "0::/job/step\n",
            "sys/fs/cgroup/job/memory.max": "500000000\n",
            "sys/fs/cgroup/job/memory.current": "100000000\n",
            "sys/fs/cgroup/job/step/memory.max": "900000000\n",
            "sys/fs/cgroup/job/step/memory.current": "100000000\n",
        ]
        #expect(try available(meminfo.merging(files) { $1 }) == 400_000_000)
        files["sys/fs/cgroup/memory.max"] = "300000000\n"
        files["sys/fs/cgroup/memory.current"] = "50000000\n"
        #expect(try available(meminfo.merging(files) { $1 }) == 250_000_000)
    }

    @Test func `a limit of version 1 counts`() throws {
        let files = [
            "proc/self/cgroup": "5:cpu,cpuacct:/a\n4:memory:/a\n",
            "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "700000000\n",
            "sys/fs/cgroup/memory/a/memory.usage_in_bytes": "800000000\n",
            "sys/fs/cgroup/memory/a/memory.stat": "total_inactive_file 50000000\n",
        ]
        #expect(try available(meminfo.merging(files) { $1 }) == 0)
    }
}
