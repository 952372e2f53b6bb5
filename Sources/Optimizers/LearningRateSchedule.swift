import Foundation

/// The learning rate over the steps of a run, as a factor of the highest.
public struct LearningRateSchedule: Sendable, Hashable {
    /// How the rate falls after the warm-up.
    public enum Shape: String, Sendable, Codable, CaseIterable { case constant, linear, cosine }
    public var shape: Shape
    /// Steps over which the rate rises from zero. RMSprop's first steps are about ten times the
    /// learning rate, because its mean of squares begins at zero.
    public var warmup: Int
    public var steps: Int
    /// The share of the run after which a linear or cosine schedule begins to fall.
    public var hold: Double
    /// The factor at the last step.
    public var floor: Double

    public init(
        _ shape: Shape = .constant, warmup: Int = 0, steps: Int, hold: Double = 0,
        floor: Double = 0
    ) {
        self.shape = shape
        self.warmup = warmup
        self.steps = steps
        self.hold = hold
        self.floor = floor
    }

    /// The factor for step `step`, counted from zero.
    public func factor(_ step: Int) -> Double {
        let rise = warmup > 0 ? min(1, Double(step + 1) / Double(warmup)) : 1
        let first = max(Double(warmup), Double(steps) * hold)
        let left = Double(steps) - first
        let progress = left > 0 ? min(1, max(0, (Double(step) - first) / left)) : 0
        switch shape {
        case .constant: return rise
        case .linear: return rise * (1 - (1 - floor) * progress)
        case .cosine: return rise * (floor + (1 - floor) * 0.5 * (1 + cos(.pi * progress)))
        }
    }
}
