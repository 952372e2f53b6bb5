import Foundation
import Glibc

/// How a process ended.
public enum Ending: Equatable, Sendable, CustomStringConvertible {
    case exit(Int32)
    case signal(Int32)
    /// The process did not end within its time limit and was killed.
    case stuck

    public var description: String {
        switch self {
        case .exit(let code): "exit \(code)"
        case .signal(let number): "signal \(number)"
        case .stuck: "stuck"
        }
    }
}

/// A child process whose three streams this program holds.
public final class Child {
    public let id: pid_t
    private var input: Int32
    private let output: Int32
    private let errors: Int32
    private var pending: [Character: [UInt8]] = [:]
    private var lines: [UInt8] = []
    private(set) public var complaints = ""
    private var ending: Ending?

    /// - Parameters:
    ///   - limit: the largest size of every file that the process writes, in blocks of 512 bytes.
    ///   - terminal: the device for its controlling terminal and its three streams.
    public init(
        _ program: String, _ arguments: [String], in folder: String, limit: Int? = nil,
        terminal: String? = nil, environment: [String: String] = [:]
    ) throws {
        var words = ["/usr/bin/env", "-C", folder]
        if let limit {
            words += ["/bin/sh", "-c", "ulimit -f \(limit); exec \"$@\"", "sh"]
        }
        words += [program] + arguments
        var ends = [[Int32]](repeating: [-1, -1], count: 3)
        if terminal == nil {
            for index in ends.indices {
                guard pipe(&ends[index]) == 0 else {
                    throw FaultError("no pipe: \(String(cString: strerror(errno)))")
                }
                for end in ends[index] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            }
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let terminal {
            posix_spawn_file_actions_addopen(&actions, 0, terminal, O_RDWR, 0)
            posix_spawn_file_actions_adddup2(&actions, 0, 1)
            posix_spawn_file_actions_adddup2(&actions, 0, 2)
        } else {
            posix_spawn_file_actions_adddup2(&actions, ends[0][0], 0)
            posix_spawn_file_actions_adddup2(&actions, ends[1][1], 1)
            posix_spawn_file_actions_adddup2(&actions, ends[2][1], 2)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // POSIX_SPAWN_SETSID, which Glibc's module does not export: the child gets a session of its
        // own, with this terminal.
        posix_spawnattr_setflags(&attributes, terminal == nil ? 0 : 0x80)
        var variables = [
            "HOME": folder, "XDG_STATE_HOME": folder + "/state", "LC_ALL": "C.UTF-8",
            "TERM": "xterm", "NO_COLOR": "1", "PATH": "/usr/bin:/bin",
        ]
        for name in ["SAMI_MODELS", "SAMI_THREADS", "TMPDIR"] {
            variables[name] = ProcessInfo.processInfo.environment[name]
        }
        variables.merge(environment) { $1 }
        var arguments = words.map { strdup($0) } + [nil]
        var settings = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in arguments + settings { free(text) } }
        var id: pid_t = 0
        let code = posix_spawn(&id, words[0], &actions, &attributes, &arguments, &settings)
        if terminal == nil {
            for end in [ends[0][0], ends[1][1], ends[2][1]] { close(end) }
        }
        (input, output, errors) = (ends[0][1], ends[1][0], ends[2][0])
        self.id = id
        guard code == 0 else {
            throw FaultError("\(program) does not start: \(String(cString: strerror(code)))")
        }
        Glibc.signal(SIGPIPE, SIG_IGN)
    }

    deinit {
        if ending == nil {
            kill(id, SIGKILL)
            waitpid(id, nil, 0)
        }
        for end in [input, output, errors] where end >= 0 { close(end) }
    }

    public func send(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = bytes.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
    }

    public func closeInput() {
        if input >= 0 { close(input) }
        input = -1
    }

    public func signal(_ number: Int32) { if ending == nil { kill(id, number) } }

    /// Whether the process still runs. False after somebody has waited for it.
    public var isRunning: Bool {
        if ending != nil { return false }
        _ = collect()
        var information = siginfo_t()
        return waitid(P_PID, id_t(id), &information, WEXITED | WNOHANG | WNOWAIT) != 0
            || information.si_signo != SIGCHLD
    }

    /// The next line of its output; nil if no line arrives within the time.
    public func line(within seconds: Double) -> String? {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while true {
            if let end = lines.firstIndex(of: 0x0A) {
                let text = String(decoding: lines[..<end], as: UTF8.self)
                lines.removeSubrange(...end)
                return text
            }
            guard ContinuousClock.now < deadline, collect() else { return nil }
        }
    }

    /// Reads the available output; false after the output has ended.
    private func collect() -> Bool {
        var waiting = [
            pollfd(fd: output, events: Int16(POLLIN), revents: 0),
            pollfd(fd: errors, events: Int16(POLLIN), revents: 0),
        ]
        guard poll(&waiting, 2, 20) > 0 else { return true }
        var chunk = [UInt8](repeating: 0, count: 65_536)
        if waiting[1].revents != 0 {
            let count = read(errors, &chunk, chunk.count)
            if count > 0 { complaints += String(decoding: chunk[..<count], as: UTF8.self) }
        }
        if waiting[0].revents != 0 {
            let count = read(output, &chunk, chunk.count)
            if count > 0 { lines += chunk[..<count] }
            return count > 0
        }
        return true
    }

    /// Waits for the end and keeps the output until then.
    @discardableResult
    public func wait(within seconds: Double = 60) -> Ending {
        if let ending { return ending }
        let deadline = ContinuousClock.now + .seconds(seconds)
        var status: Int32 = 0
        var result = Ending.stuck
        while true {
            if output >= 0 { _ = collect() } else { usleep(2000) }
            if waitpid(id, &status, WNOHANG) == id {
                result = status & 0x7F == 0 ? .exit((status >> 8) & 0xFF) : .signal(status & 0x7F)
                break
            }
            guard ContinuousClock.now < deadline else {
                kill(id, SIGKILL)
                waitpid(id, nil, 0)
                break
            }
        }
        if output >= 0 { for _ in 0..<3 where !collect() { break } }
        ending = result
        return result
    }

    /// The output that was not read yet.
    public var rest: String { String(decoding: lines, as: UTF8.self) }
}

/// The reason why an experiment cannot run.
public struct FaultError: Error, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}
