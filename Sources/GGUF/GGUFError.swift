/// A fault of a GGUF file, as the second half of a sentence.
public struct GGUFError: Error, Equatable, Sendable {
    public let file: String
    public let problem: String

    public init(file: String, problem: String) {
        (self.file, self.problem) = (file, problem)
    }
}

extension GGUFError: CustomStringConvertible {
    public var description: String { "\(file): \(problem)." }
}
