/// Limits for one statement, so that neither a typing error nor a stranger's script takes all
/// memory. `set` changes them.
package struct Limits: Sendable {
    /// Largest number of bytes of one tensor in an expression.
    package var tensor = 1 << 30
    /// Largest number of bytes of a file that is read whole; weights are mapped, not read.
    package var file = 4 << 30
    package init() {}

    package static let listCount = 10_000_000
    /// Largest number of bytes of a text that an expression makes.
    package static let textBytes = 1 << 28

    package static func check(listCount count: Int) throws(EvaluationError) {
        guard count <= listCount else { throw .tooLong(count) }
    }

    package static func check(textBytes count: Int) throws(EvaluationError) {
        guard count <= textBytes else {
            throw .other("this makes a text of more than \(textBytes >> 20) MB")
        }
    }

    /// The limits of the statement on this thread: expressions are evaluated far below the session
    /// that has the settings.
    @TaskLocal package static var current = Limits()

    /// Largest number of elements of a tensor.
    package var count: Int { tensor / MemoryLayout<Float>.stride }

    package static func check(_ shape: [Int]) throws(EvaluationError) {
        var product = 1
        for side in shape {
            let (next, overflows) = product.multipliedReportingOverflow(by: max(side, 0))
            guard !overflows, next <= current.count else { throw .tooLarge(shape) }
            product = next
        }
    }
}
