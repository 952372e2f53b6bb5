import Foundation

/// Memory from the system. Large blocks are mapped each by itself: the heap would place them among
/// small ones and keep the gaps; docs/LOG.md has the figures.
enum SystemMemory {
    private static let alignment = 64
    /// The size of a large page on x86-64 processors, and the least size of a mapped block.
    private static let hugePage = 2 << 20

    /// At least `bytes` bytes, with arbitrary contents.
    static func allocate(_ bytes: Int) -> UnsafeMutableRawPointer {
        mapped(bytes) ?? .allocate(byteCount: bytes, alignment: alignment)
    }

    /// Frees a block of `allocate` of the same size.
    static func free(_ block: UnsafeMutableRawPointer, _ bytes: Int) {
        #if os(Linux)
            if bytes >= hugePage {
                munmap(block, pages(bytes))
                return
            }
        #endif
        block.deallocate()
    }

    /// A block of whole pages, aligned to a large page; nil for smaller blocks.
    private static func mapped(_ bytes: Int) -> UnsafeMutableRawPointer? {
        #if os(Linux)
            guard bytes >= hugePage else { return nil }
            let length = pages(bytes)
            let whole = mmap(
                nil, length + hugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            guard let whole, whole != MAP_FAILED else {
                fatalError("the system has no memory for \(bytes) bytes")
            }
            let surplus = -Int(bitPattern: whole) & (hugePage - 1)
            let block = whole + surplus
            if surplus > 0 { munmap(whole, surplus) }
            munmap(block + length, hugePage - surplus)
            // Caches are read in short rows far apart, so large pages are faster; measured on
            // generation.
            madvise(block, length, MADV_HUGEPAGE)
            return block
        #else
            return nil
        #endif
    }

    /// `bytes` rounded up to whole pages.
    private static func pages(_ bytes: Int) -> Int { (bytes + 4095) & ~4095 }
}
