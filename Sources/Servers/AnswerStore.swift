/// Where answers are kept, so that nothing is asked twice.
///
/// Requests and answers are JSON in one line; equal requests have equal lines. A request never
/// contains a key.
public protocol AnswerStore: Sendable {
    /// Whether a request without a kept answer may be sent.
    var mayAsk: Bool { get }
    func answer(to request: String) throws -> String?
    func keep(_ answer: String, to request: String) throws
}
