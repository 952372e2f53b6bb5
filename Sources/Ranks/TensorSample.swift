import Tensors

extension Tensor {
    /// Bytes from places over the tensor's whole length, to tell it from another one without
    /// reading all of it.
    func sample() -> [UInt8] {
        let (places, length) = (16, 16)
        return withUnsafeBytes { bytes in
            guard bytes.count > places * length else { return Array(bytes) }
            return (0..<places).flatMap { place in
                let start = (bytes.count - length) / (places - 1) * place
                return Array(bytes[start..<start + length])
            }
        }
    }
}
