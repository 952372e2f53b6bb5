import Foundation

/// Freed blocks by capacity, for whoever asks for one of that size next.
///
/// Free blocks and blocks in use together take no more than were in use at once at most, or
/// `allowance` more than are in use now. So work that repeats, as the steps of a training do, gets
/// every block from the pool, and the process grows little beyond what its tensors need.
public final class StoragePool: @unchecked Sendable {
    // Guarded by `lock`. It is not a Mutex, because the thread sanitizer does not see the locking
    // of a Mutex.

    static let shared = StoragePool()

    /// Free blocks of one size.
    private struct Shelf {
        var blocks: [UnsafeMutablePointer<Float>] = []
        /// The number of the last request for this size.
        var lastRequest = 0
    }

    private typealias Block = (pointer: UnsafeMutablePointer<Float>, capacity: Int)

    /// Bytes that free blocks may take in any case.
    private let allowance: Int
    private let lock = NSLock()
    /// By capacity in floats.
    private var shelves: [Int: Shelf] = [:]
    /// Bytes in free blocks, bytes in use, and the largest number in use since the last `trim`.
    private var (held, used, mostUsed) = (0, 0, 0)
    private var requests = 0

    init(allowance: Int = 256 << 20) { self.allowance = allowance }

    deinit {
        for (capacity, shelf) in shelves {
            Self.free(shelf.blocks.map { ($0, capacity) })
        }
    }

    /// Bytes in free blocks.
    var freeBytes: Int { lock.withLock { held } }

    func take(_ capacity: Int) -> UnsafeMutablePointer<Float> {
        let size = Self.bytes(capacity)
        let (kept, surplus): (UnsafeMutablePointer<Float>?, [Block]) = lock.withLock {
            requests += 1
            used += size
            mostUsed = max(mostUsed, used)
            if let place = shelves.index(forKey: capacity) {
                shelves.values[place].lastRequest = requests
                if let pointer = shelves.values[place].blocks.popLast() {
                    held -= size
                    return (pointer, [])
                }
            }
            return (nil, evict())
        }
        Self.free(surplus)
        return kept ?? SystemMemory.allocate(size).bindMemory(to: Float.self, capacity: capacity)
    }

    func give(_ pointer: UnsafeMutablePointer<Float>, _ capacity: Int) {
        let size = Self.bytes(capacity)
        let surplus: [Block] = lock.withLock {
            shelves[capacity, default: Shelf(lastRequest: requests)].blocks.append(pointer)
            used -= size
            held += size
            return evict()
        }
        Self.free(surplus)
    }

    /// Gives free blocks of all tensors beyond the allowance back to the system: between two pieces
    /// of work, which seldom need the same sizes.
    public static func trimShared() { shared.trim() }

    /// Gives free blocks beyond the allowance back to the system, and forgets how much was in use.
    func trim() {
        let surplus: [Block] = lock.withLock {
            mostUsed = used
            return evict()
        }
        Self.free(surplus)
    }

    /// Takes out free blocks of the sizes that were not asked for the longest, until the rest may
    /// stay.
    private func evict() -> [Block] {
        var evicted: [Block] = []
        let limit = max(allowance, mostUsed - used)
        while held > limit {
            let filled = shelves.lazy.filter { !$0.value.blocks.isEmpty }
            guard let oldest = filled.min(by: { $0.value.lastRequest < $1.value.lastRequest })
            else { break }
            var shelf = oldest.value
            while held > limit, let block = shelf.blocks.popLast() {
                evicted.append((block, oldest.key))
                held -= Self.bytes(oldest.key)
            }
            shelves[oldest.key] = shelf.blocks.isEmpty ? nil : shelf
        }
        return evicted
    }

    private static func free(_ blocks: [Block]) {
        for block in blocks { SystemMemory.free(block.pointer, bytes(block.capacity)) }
    }

    private static func bytes(_ capacity: Int) -> Int { capacity * MemoryLayout<Float>.stride }
}
