/// What one statement may ask for, so that neither a slip of the keyboard nor a stranger's script takes
/// all memory. `set` changes them.
struct Limits: Sendable {
    /// Bytes of one tensor of an expression.
    var tensor = 1 << 30
    /// Bytes of a file that is read whole; weights are mapped, not read.
    var file = 4 << 30
    static let listCount = 10_000_000

    /// Those of the statement that runs on this thread: expressions are evaluated far below the session
    /// that has the settings.
    @TaskLocal static var current = Limits()

    /// Elements of a tensor.
    var count: Int { tensor / MemoryLayout<Float>.stride }

    static func check(_ shape: [Int]) throws(Complaint) {
        var product = 1
        for side in shape {
            let (next, overflows) = product.multipliedReportingOverflow(by: max(side, 0))
            guard !overflows, next <= current.count else { throw .tooLarge(shape) }
            product = next
        }
    }
}
