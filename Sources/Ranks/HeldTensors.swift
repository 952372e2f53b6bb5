import Tensors

/// Which tensors the ranks have, by number.
///
/// The session keeps no copy: a tensor that is changed or released here is another one, or of no
/// use, and the ranks forget theirs.
struct HeldTensors {
    private struct Held {
        var identity: TensorIdentity
        var number: Int
    }

    private var held: [ObjectIdentifier: Held] = [:]
    private var next = 0
    /// Numbers that the ranks still have and nobody will ask for.
    private var forgotten: [Int] = []

    /// The number of a tensor that the ranks have.
    func number(of tensor: Tensor) -> Int? {
        held[tensor.storageNumber].flatMap { $0.identity.matches(tensor) ? $0.number : nil }
    }

    /// Gives a tensor a number of its own.
    mutating func add(_ tensor: Tensor) -> Int {
        next += 1
        if let old = held[tensor.storageNumber] { forgotten.append(old.number) }
        held[tensor.storageNumber] = Held(identity: tensor.identity, number: next)
        return next
    }

    /// Takes back the number of a tensor that was not sent whole.
    mutating func remove(_ tensor: Tensor) { held[tensor.storageNumber] = nil }

    /// The numbers of tensors that are no longer alive here, once.
    mutating func takeForgotten() -> [Int] {
        for (key, entry) in held where !entry.identity.isAlive {
            forgotten.append(entry.number)
            held[key] = nil
        }
        defer { forgotten = [] }
        return forgotten
    }
}
