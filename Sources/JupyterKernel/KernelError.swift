/// The reason why a kernel cannot be started or installed, as a sentence.
public struct KernelError: Error, Hashable, Sendable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }
}
