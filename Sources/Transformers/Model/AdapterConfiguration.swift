/// Which projections of a model carry a low-rank adapter, and of what size (LoRA: Hu et al.,
/// arXiv 2106.09685).
public struct AdapterConfiguration: Sendable, Hashable, Codable {
    public enum Scaling: String, Sendable, CaseIterable, Codable {
        /// α / r.
        case standard
        /// α / √r (Kalajdzievski, arXiv 2312.03732).
        case rankStabilized
    }

    /// Another rank and α for one projection.
    public struct Exception: Sendable, Hashable, Codable {
        public var name: String
        public var rank: Int
        public var alpha: Double

        public init(name: String, rank: Int, alpha: Double) {
            self.name = name
            self.rank = rank
            self.alpha = alpha
        }
    }

    public static let ranks = 1...1 << 14

    public var rank: Int
    public var alpha: Double
    public var scaling: Scaling
    /// Names of projections, whole or the last parts of one, such as "q_proj"; sorted.
    public private(set) var targets: [String]
    /// By the whole names of their projections, sorted.
    public private(set) var exceptions: [Exception]
    private let exceptionPlaces: [String: Int]

    public init(
        rank: Int, alpha: Double, scaling: Scaling = .standard, targets: some Sequence<String>,
        exceptions: [Exception] = []
    ) {
        self.rank = rank
        self.alpha = alpha
        self.scaling = scaling
        self.targets = Set(targets).sorted()
        self.exceptions = exceptions.sorted { $0.name < $1.name }
        exceptionPlaces = Dictionary(
            self.exceptions.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { $1 })
    }

    private enum CodingKeys: String, CodingKey { case rank, alpha, scaling, targets, exceptions }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            rank: try values.decode(Int.self, forKey: .rank),
            alpha: try values.decode(Double.self, forKey: .alpha),
            scaling: try values.decode(Scaling.self, forKey: .scaling),
            targets: try values.decode([String].self, forKey: .targets),
            exceptions: try values.decode([Exception].self, forKey: .exceptions))
    }

    func rank(of projection: String) -> Int {
        exceptionPlaces[projection].map { exceptions[$0].rank } ?? rank
    }

    /// The factor of the product of the two matrices.
    public func scale(of projection: String) -> Double {
        let exception = exceptionPlaces[projection].map { exceptions[$0] }
        let (rank, alpha) = (Double(exception?.rank ?? rank), exception?.alpha ?? alpha)
        return alpha / (scaling == .standard ? rank : rank.squareRoot())
    }

    /// Whether a projection carries an adapter. Names agree in whole parts, as in PEFT's
    /// `target_modules`.
    public func includes(_ projection: String) -> Bool {
        targets.contains { AdapterName.names($0, projection) }
    }

    /// Throws `ModelError.badSetting` for numbers that no adapter can have.
    func check() throws(ModelError) {
        for (rank, alpha) in [(rank, alpha)] + exceptions.map({ ($0.rank, $0.alpha) }) {
            guard Self.ranks.contains(rank) else {
                throw .badSetting(
                    name: "rank", value: "\(rank)",
                    allowed: "it is between 1 and \(Self.ranks.upperBound)")
            }
            guard alpha.isFinite, alpha > 0 else {
                throw .badSetting(
                    name: "alpha", value: "\(alpha)", allowed: "it is a number above zero")
            }
        }
    }
}

extension ModelConfiguration {
    /// Adds an adapter that was stored with this shape. Throws `ModelError.badSetting` for numbers
    /// that no adapter can have.
    public mutating func add(_ adapter: AdapterConfiguration) throws {
        try adapter.check()
        self.adapter = adapter
    }
}
