import Tensors

/// The C constitutions of one query.
public struct ConstitutionGroup: Sendable, Codable, Hashable {
    public var query: QueryID
    /// One text for each constitution, with its principles in the order of the rollout prompt.
    public var constitutions: [Constitution]
    /// The same constitutions, with their principles in the order of the training prompt. This
    /// order is drawn separately, so that the position of a principle carries no information.
    public var training: [Constitution]

    public init(query: QueryID, constitutions: [Constitution], training: [Constitution]) {
        self.query = query
        self.constitutions = constitutions
        self.training = training
    }
}

/// The rule that draws the polarities of the C constitutions of a query. The constitutions always
/// differ.
public enum PolarityRule: String, Sendable, Codable, CaseIterable {
    /// The first constitution holds every principle; the others hold antitheses in some slots (the
    /// paper's rule).
    case positive
    /// A random draw and its exact opposite, C/2 times; for odd C the last draw has no opposite.
    case opposites
    /// C different draws.
    case distinct
}

/// The source of constitutions: pairs that fill slots, or written constitutions, one group for each
/// line of a file.
public enum ConstitutionSource: Sendable, Codable, Hashable {
    case pairs([PrinciplePair])
    case written([Constitution])
}

/// Draws C distinct constitutions for every query.
public struct Composer: Sendable, Codable, Hashable {
    /// The largest number of constitutions of a query: S has C·R entries and the batch has C·R
    /// responses.
    public static let largestCount = 1024

    /// C, the number of constitutions of a query.
    public var count = 2
    /// Number of principles in a constitution; `nil` takes every pair that fits the query.
    public var principles: Int?
    /// Whether the order of the principles is random, drawn separately for rollout and training.
    public var shuffle = true
    public var polarity = PolarityRule.opposites

    public init(
        count: Int = 2, principles: Int? = nil, shuffle: Bool = true,
        polarity: PolarityRule = .opposites
    ) {
        self.count = count
        self.principles = principles
        self.shuffle = shuffle
        self.polarity = polarity
    }

    /// One group for each query. The result for a query depends only on its position and the key.
    ///
    /// - Throws: `AlignmentError.constitutionCount` if C exceeds the number of distinct
    ///   constitutions from the pairs, `.noPrinciples` if no pair fits a query's form,
    ///   `.noQueries`, `.duplicateQuery`.
    public func compose(
        _ queries: [Query], from pairs: [PrinciplePair], key: RandomKey
    ) throws -> [ConstitutionGroup] {
        try compose(queries, from: [.pairs(pairs)], key: key)
    }

    /// The same, but each query draws one of several sources.
    public func compose(
        _ queries: [Query], from sources: [ConstitutionSource], key: RandomKey
    ) throws -> [ConstitutionGroup] {
        let queries = try QueryList(queries).queries
        guard !sources.isEmpty else { throw AlignmentError.noPrinciples(form: nil) }
        return try queries.enumerated().map { index, query in
            let own = key.child(UInt64(index))
            let source = sources[own.integer(0, below: sources.count)]
            return try compose(query, from: source, key: own)
        }
    }

    private func compose(
        _ query: Query, from source: ConstitutionSource, key: RandomKey
    ) throws -> ConstitutionGroup {
        switch source {
        case .written(let constitutions):
            // Constitutions with the same text count as one, even if the file lists them twice.
            guard count <= Set(constitutions.map(\.text)).count else {
                throw AlignmentError.constitutionCount(
                    asked: count, distinct: Set(constitutions.map(\.text)).count, principles: nil)
            }
            return group(query.id, Array(constitutions.prefix(count)), key)
        case .pairs(let pairs):
            let fitting = pairs.filter { $0.fits(query.form) }
            if let same = fitting.first(where: \.isSelfOpposed) {
                throw AlignmentError.principleOpposesItself(same.principle)
            }
            guard !fitting.isEmpty else { throw AlignmentError.noPrinciples(form: query.form) }
            let chosen = try choose(fitting, key.child("choose"))
            let masks = try polarities(of: chosen.count, key.child("polarity"))
            let constitutions = masks.map { mask in
                Constitution(
                    slots: chosen.enumerated().map { slot, pair in
                        Slot(pair, mask >> UInt64(slot) & 1 == 0 ? .principle : .antithesis)
                    })
            }
            return group(query.id, constitutions, key)
        }
    }

    private func choose(_ pairs: [PrinciplePair], _ key: RandomKey) throws -> [PrinciplePair] {
        let wanted = principles ?? pairs.count
        guard wanted >= 1, wanted <= pairs.count else {
            throw AlignmentError.principleCount(asked: wanted, available: pairs.count)
        }
        guard wanted < 63 else { throw AlignmentError.principleCount(asked: wanted, available: 62) }
        guard wanted < pairs.count else { return pairs }
        // The choice of pairs is random, their order is not: `shuffle` alone decides the order.
        return key.permutation(pairs.count).prefix(wanted).sorted().map { pairs[$0] }
    }

    private func group(
        _ query: QueryID, _ constitutions: [Constitution], _ key: RandomKey
    ) -> ConstitutionGroup {
        func ordered(_ label: String) -> [Constitution] {
            guard shuffle else { return constitutions }
            return constitutions.enumerated().map { index, constitution in
                let own = key.child(label).child(UInt64(index))
                return constitution.reordered(own.permutation(constitution.slots.count))
            }
        }
        return ConstitutionGroup(
            query: query, constitutions: ordered("rollout"), training: ordered("training"))
    }

    /// C different polarity masks over `slots` principles; a set bit means the antithesis.
    private func polarities(of slots: Int, _ key: RandomKey) throws -> [UInt64] {
        let distinct = 1 << slots
        guard count >= 1, count <= min(distinct, Composer.largestCount) else {
            throw AlignmentError.constitutionCount(
                asked: count, distinct: min(distinct, Composer.largestCount), principles: slots)
        }
        let all = UInt64(distinct - 1)
        // A small number of masks is shuffled and taken in order. Of a large number random masks
        // seldom coincide.
        let order = distinct <= 4096 ? key.permutation(distinct) : []
        var masks: [UInt64] = polarity == .positive ? [0] : []
        var seen = Set(masks)
        var draw = 0
        while masks.count < count {
            let mask = order.isEmpty ? key.bits(UInt64(draw)) & all : UInt64(order[draw])
            draw += 1
            guard seen.insert(mask).inserted else { continue }
            masks.append(mask)
            if polarity == .opposites, masks.count < count, seen.insert(~mask & all).inserted {
                masks.append(~mask & all)
            }
        }
        return masks
    }
}
