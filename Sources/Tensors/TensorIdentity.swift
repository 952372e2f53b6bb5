/// Tells whether a tensor still has the elements that it had, without keeping them.
///
/// It refers to the memory of a tensor and to how often that was written. Equal elements elsewhere
/// are another identity.
package struct TensorIdentity {
    private weak var storage: Storage?
    private let version: Int

    fileprivate init(_ storage: Storage) {
        self.storage = storage
        version = storage.version
    }

    /// Whether some tensor still has these elements.
    package var isAlive: Bool { storage.map { $0.version == version } ?? false }

    /// Whether these are the elements of `tensor`.
    package func matches(_ tensor: Tensor) -> Bool {
        guard let storage else { return false }
        return storage === tensor.storage && storage.version == version
    }
}

extension Tensor {
    package var identity: TensorIdentity { TensorIdentity(storage) }
    /// The same number for tensors that share their memory, at one time.
    package var storageNumber: ObjectIdentifier { ObjectIdentifier(storage) }
}
