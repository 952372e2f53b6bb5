import Foundation
import LongWork
import Tensors
import Tokenizers
import Transformers

/// Bytes of weights on their way to the ranks.
public struct RankSending: Sendable, Hashable {
    public var done = 0
    public var total: Int

    public init(done: Int = 0, total: Int) {
        self.done = done
        self.total = total
    }
}

/// What the ranks keep by numbers: tensors and tokenizers.
///
/// Each is sent in pieces. `goesOn` is asked before every piece; a stop throws `Canceled`, and what
/// was not sent whole counts as not sent.
extension RankCrew {
    /// A model by the numbers of its tensors. Those that the ranks lack are sent.
    func sent(_ model: LanguageModel, _ goesOn: () -> Continuation) throws -> SentModel {
        SentModel(model, tensors: try numbers(of: model.parameters.tensors, goesOn))
    }

    /// The numbers of tensors that the ranks have, or that are sent.
    func numbers(of tensors: [Tensor], _ goesOn: () -> Continuation) throws -> [Int] {
        try lock.withLock {
            let lacking = tensors.filter { held.number(of: $0) == nil }
            return try sending(lacking.reduce(0) { $0 + $1.storedBytes }) {
                try tensors.map { try number(of: $0, goesOn) }
            }
        }
    }

    private func number(of tensor: Tensor, _ goesOn: () -> Continuation) throws -> Int {
        guard !isEnded else { throw Canceled() }
        if let number = held.number(of: tensor) { return number }
        let number = held.add(tensor)
        do {
            try send(tensor, number, to: RankMessage.all, goesOn)
        } catch {
            held.remove(tensor)
            throw error
        }
        return number
    }

    /// The number of a tensor that some ranks have or will have.
    func lent(_ tensor: Tensor) -> Int {
        lock.withLock { held.number(of: tensor) ?? held.add(tensor) }
    }

    /// Numbers for tensors that the ranks compute themselves.
    func numbers(ofComputed tensors: [Tensor]) -> [Int] {
        lock.withLock { tensors.map { held.add($0) } }
    }

    func has(_ number: Int, _ rank: Int) -> Bool {
        lock.withLock { owners[number]?.contains(rank) ?? false }
    }

    func note(_ number: Int, heldBy ranks: [Int]) {
        lock.withLock { owners[number, default: []].formUnion(ranks) }
    }

    /// Sends tensors to those of their owners that lack them.
    ///
    /// - Parameter owners: the ranks that need each tensor.
    func give(
        _ tensors: [(tensor: Tensor, number: Int, owners: [Int])], _ goesOn: () -> Continuation
    ) throws {
        try lock.withLock {
            let lacking = tensors.map { given in given.owners.filter { !has(given.number, $0) } }
            let bytes = zip(tensors, lacking).reduce(0) {
                $0 + $1.1.count * $1.0.tensor.storedBytes
            }
            try sending(bytes) {
                for (given, ranks) in zip(tensors, lacking) {
                    for rank in ranks {
                        guard !isEnded else { throw Canceled() }
                        try send(given.tensor, given.number, to: Int32(rank), goesOn)
                        note(given.number, heldBy: [rank])
                    }
                }
            }
        }
    }

    func number(of tokenizer: Tokenizer, _ goesOn: () -> Continuation) throws -> Int {
        try lock.withLock {
            if let known = tokenizers.first(where: { $0.tokenizer.isSame(as: tokenizer) }) {
                return known.number
            }
            let number = tokenizers.count
            try Data(tokenizer.json.utf8).withUnsafeBytes { bytes in
                try send(.tokenizer(number: number), bytes, to: RankMessage.all, goesOn)
            }
            tokenizers.append((tokenizer, number))
            return number
        }
    }

    // MARK: Pieces

    /// - Parameter bytes: that `body` sends.
    private func sending<Result>(_ bytes: Int, _ body: () throws -> Result) throws -> Result {
        underway = bytes > 0 ? RankSending(total: bytes) : nil
        defer { underway = nil }
        return try body()
    }

    private func send(
        _ tensor: Tensor, _ number: Int, to rank: Int32, _ goesOn: () -> Continuation
    ) throws {
        try tensor.withUnsafeBytes { bytes in
            let thing = SentPiece.Thing.tensor(
                number: number, shape: tensor.shape, format: tensor.format.name)
            try send(thing, bytes, to: rank, goesOn)
        }
    }

    private func send(
        _ thing: SentPiece.Thing, _ bytes: UnsafeRawBufferPointer, to rank: Int32,
        _ goesOn: () -> Continuation
    ) throws {
        var piece = SentPiece(thing: thing, total: bytes.count)
        repeat {
            if goesOn() == .stop { throw Canceled() }
            let end = min(bytes.count, piece.offset + pieceLength.bytes)
            // A thing of no bytes has none to point at.
            let payload =
                bytes.baseAddress.map {
                    Data(
                        bytesNoCopy: UnsafeMutableRawPointer(mutating: $0 + piece.offset),
                        count: end - piece.offset, deallocator: .none)
                } ?? Data()
            let start = ContinuousClock.now
            do {
                try socket.write(try RankMessage(.piece, rank: rank, piece, payload: payload))
            } catch let error as RankError {
                throw fault(error)
            }
            if payload.count == pieceLength.bytes {
                pieceLength.adapt(to: ContinuousClock.now - start)
            }
            recorded.sent += payload.count
            underway?.done += payload.count
            piece.offset = end
        } while piece.offset < bytes.count
    }
}

extension Tensor {
    fileprivate var storedBytes: Int { format.bytes(count) }
}
