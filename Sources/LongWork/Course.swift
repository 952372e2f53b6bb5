/// A number over the steps of a run, such as the loss, in bounded memory.
///
/// A point is the mean of a stretch of steps. All stretches are equally long; if there would be
/// more than `limit` of them, two become one. So a run of any length keeps its shape, and adding a
/// step is cheap.
public struct Course: Sendable, Hashable {
    /// The mean of some steps: of their numbers, and of their values.
    public struct Point: Sendable, Hashable {
        public var step: Double
        public var value: Double

        public init(step: Double, value: Double) {
            (self.step, self.value) = (step, value)
        }
    }

    /// Largest number of points; even.
    public static let limit = 256

    /// The value of the latest step; nil before the first one.
    public private(set) var last: Double?
    /// The number of the latest step.
    private var latest = 0
    private var complete: [Point] = []
    /// Steps in a stretch.
    private var length = 1
    /// The stretch that is not complete.
    private var sum = Point(step: 0, value: 0)
    private var inSum = 0

    public init() {}

    public init(_ values: some Sequence<Double>) {
        for value in values { append(value) }
    }

    /// Adds the value of a step.
    ///
    /// - Parameter step: its number, which grows; nil for the number after the latest one, from 1.
    public mutating func append(_ value: Double, step: Int? = nil) {
        latest = step ?? latest + 1
        last = value
        sum.step += Double(latest)
        sum.value += value
        inSum += 1
        guard inSum == length else { return }
        complete.append(mean)
        (sum, inSum) = (Point(step: 0, value: 0), 0)
        guard complete.count == Course.limit else { return }
        complete = stride(from: 0, to: complete.count, by: 2).map { index in
            let (a, b) = (complete[index], complete[index + 1])
            return Point(step: (a.step + b.step) / 2, value: (a.value + b.value) / 2)
        }
        length *= 2
    }

    /// The points from the first step to the last.
    public var points: [Point] { inSum > 0 ? complete + [mean] : complete }

    private var mean: Point {
        Point(step: sum.step / Double(inSum), value: sum.value / Double(inSum))
    }
}
