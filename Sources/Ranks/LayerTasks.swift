import Alignment
import Transformers

/// Work on a model that is divided by layers: rank r is stage r − 1.
///
/// All ranks with a stage receive the same work, but for the tensors, which each has of its own
/// stage only.
struct LayerTask: Sendable, Codable {
    /// The number of the task. A message between stages carries it, so that those of a task that
    /// was canceled are told from those of the next.
    var flight: Int
    /// Number of stages.
    var stages: Int
    var work: Work

    enum Work: Sendable, Codable {
        case generate(RankTask.Generate, budget: Int)
        case score(RankTask.Score)
        case gradients(RankTask.Gradients)
        case update(RankTask.Update, norm: Double)
    }
}

/// Tensors that a rank takes from the files of a model, if these lie on its host too.
struct MappedTensors: Sendable, Codable {
    struct Entry: Sendable, Codable {
        var number: Int
        var name: String
        var shape: [Int]
        /// Its `StoredFormat`.
        var format: String
        /// Bytes from places over its whole length; a file with others is another model's.
        var sample: [UInt8]
    }

    /// The folder of the model.
    var folder: String
    var entries: [Entry]
}
