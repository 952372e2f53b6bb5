import Alignment
import Tensors
import Worlds

/// The author who follows every principle, as a program: writes demonstrations for finetuning.
package struct CarefulAuthor {
    private let key: RandomKey

    package init(key: RandomKey) { self.key = key }

    /// A response that follows each of the principles that the world knows; nil for a query that is
    /// not of the shipped world.
    ///
    /// - Parameter index: of the constitution among those of the query.
    package func response(
        to query: Alignment.Query, _ principles: [String], _ index: Int
    ) -> String? {
        guard let situation = World.everyday.situation(of: query.text) else { return nil }
        var random = SplitMix64(
            seed: key.child(query.id.text).child(UInt64(index)).bits(0), path: 4)
        return World.everyday.carefulResponse(
            to: situation, principles: principles, using: &random)
    }
}
