import CHDF5
import Files
import Foundation
import Glibc
import HDF5Objects

/// The process that has a workspace open for writing.
public struct LockHolder: Sendable, Equatable {
    public var host: String
    public var process: Int
    /// UTC, as in the journal.
    public var since: String
}

/// The file `lock`. The kernel's lock on it decides; the kernel releases it when the process ends
/// in any way. The text in the file tells others who holds the lock, and is empty when the
/// workspace is closed.
final class WorkspaceLock {
    enum Attempt {
        /// This process holds the lock. `left` is set if the last holder did not release it.
        case taken(WorkspaceLock, left: LockHolder?)
        case held(LockHolder?)
        /// The folder cannot be written to.
        case refused(reason: String)
    }

    private var descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { release() }

    static func take(_ path: String) -> Attempt {
        let descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o666)
        var status = stat()
        guard descriptor >= 0, fstat(descriptor, &status) == 0 else {
            return .refused(reason: FileError.Reason(errno: errno).description)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            return .refused(reason: "it is not a plain file")
        }
        let previous = holder(in: descriptor)
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let isHeld = errno == EWOULDBLOCK
            let reason = FileError.Reason(errno: errno).description
            close(descriptor)
            return isHeld ? .held(previous) : .refused(reason: reason)
        }
        // Other machines may not see this kernel's locks, so there the text decides.
        if let previous, previous.host != hostName(), isRemote(descriptor) {
            close(descriptor)
            return .held(previous)
        }
        let lock = WorkspaceLock(descriptor: descriptor)
        let text: StoredRecord = [
            "host": .text(hostName()), "process": .number(Double(getpid())),
            "since": .text(timeStamp()),
        ]
        ftruncate(descriptor, 0)
        do {
            try FileSystem.write(sealed(text), to: descriptor, at: 0, path: path)
        } catch {
            return .refused(reason: "\(error)")
        }
        return .taken(lock, left: previous)
    }

    func release() {
        guard descriptor >= 0 else { return }
        ftruncate(descriptor, 0)
        // Unlock explicitly before closing: a child forked by another thread inherits the
        // descriptor until `exec`, and closing only our copy would leave the lock held.
        flock(descriptor, LOCK_UN)
        close(descriptor)
        descriptor = -1
    }

    /// The writer, according to the text and the process table, without taking a lock: even a short
    /// lock of a reader could block a writer.
    static func liveHolder(_ path: String) -> LockHolder? {
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard let holder = holder(in: descriptor) else { return nil }
        guard holder.host == hostName(), let process = Int32(exactly: holder.process), process > 0
        else { return holder }
        return kill(process, 0) == 0 || errno == EPERM ? holder : nil
    }

    private static func holder(in descriptor: Int32) -> LockHolder? {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 1 else { return nil }
        let value = bytes[..<(count - 1)].withUnsafeBufferPointer { unsealed($0) }
        guard let host = value?["host"]?.textValue, let process = value?["process"]?.intValue,
            let since = value?["since"]?.textValue
        else { return nil }
        return LockHolder(host: host, process: process, since: since)
    }

    private static func hostName() -> String {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, 255)
        return String(
            decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Network and user-space file systems, by their numbers in statfs(2).
    private static func isRemote(_ descriptor: Int32) -> Bool {
        let remote: Set<UInt32> = [
            0x6969, 0xFF53_4D42, 0xFE53_4D42, 0x517B, 0x6573_5546, 0x00C3_6400, 0x0BD0_0BD0,
            0x0102_1997, 0x4750_4653,
        ]
        return remote.contains(UInt32(truncatingIfNeeded: chdf5_file_system(descriptor)))
    }
}
