import Alignment
import Worlds

/// The shipped world's programs as a measure of adherence.
package struct WorldMeasure: Measure {
    package init() {}

    /// The dimension of the shipped world that a principle is about; nil for any other principle.
    package static func meaning(of principle: String) -> String? {
        World.everyday.dimension(of: principle)?.dimension.style.rawValue
    }

    /// Whether the world's programs can measure anything of these: nothing needs to be sampled to
    /// know it.
    package static func knows(_ queries: [Alignment.Query], principles: [String]) -> Bool {
        queries.contains { World.everyday.situation(of: $0.text) != nil }
            && principles.contains { meaning(of: $0) != nil }
    }

    package func adherence(
        of response: String, to principle: String, for query: Alignment.Query
    ) -> Adherence {
        let world = World.everyday
        guard world.situation(of: query.text) != nil,
            let follows = world.adherence(
                response: response, query: query.text, principle: principle)
        else { return .unknown }
        return follows ? .follows : .breaks
    }

    package func isMalformed(_ response: String, for query: Alignment.Query) -> Bool {
        WorldMeasure.isMalformed(response, query)
    }

    /// Whether the world's grammar finds a response malformed. It knows only responses to the
    /// world's own queries.
    @Sendable
    package static func isMalformed(_ response: String, _ query: Alignment.Query) -> Bool {
        let world = World.everyday
        guard world.situation(of: query.text) != nil else { return false }
        return world.isMalformed(response, query: query.text)
    }
}
