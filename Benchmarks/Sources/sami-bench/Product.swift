import ArgumentParser
import Layers
import NumberTypes
import Tensors

/// One product with a weight matrix, as the layers of a model compute it.
struct Product: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "x wᵀ, y w and yᵀ x for N rows and a weight matrix (M, K): GFLOP/s.")
    @Argument(help: "Rows of x and y.")
    var n: Int
    @Argument(help: "Columns of x and of the weight matrix.")
    var k: Int
    @Argument(help: "Rows of the weight matrix.")
    var m: Int
    @Option(help: "How the weights are stored: float32, bfloat16, float16 or Q8_0.")
    var stored = "float32"
    @Option(help: "How the products are computed: float32 or bfloat16.")
    var precision = "float32"

    func run() throws {
        guard [n, k, m].allSatisfy({ (1...100_000).contains($0) }) else {
            throw ValidationError("N, K and M are whole numbers from 1 to 100,000.")
        }
        let (format, arithmetic) = (try storedFormat(stored), try computed(in: precision))
        let key = RandomKey(seed: 3)
        func random(_ rows: Int, _ columns: Int, _ name: String) -> Tensor {
            var tensor = Tensor(zeros: [rows, columns])
            let key = key.child(name)
            tensor.withUnsafeMutableBufferPointer { floats in
                for i in floats.indices { floats[i] = Float(key.uniform(UInt64(i))) - 0.5 }
            }
            return tensor
        }
        let (x, y) = (random(n, k, "x"), random(n, m, "y"))
        let w = random(m, k, "w").converted(to: format)
        var (forward, input, weight) = (
            Tensor(zeros: [n, m]), Tensor(zeros: [n, k]), Tensor(zeros: [m, k])
        )
        let operations = 2 * Double(n) * Double(k) * Double(m)
        let runs = max(5, min(2000, Int(2e10 / operations)))
        func best(_ body: () -> Void) -> Double { time(runs, body).min() ?? 1 }
        let seconds = [
            best { arithmetic.product(x, w, into: &forward) },
            best { arithmetic.inputGradient(y, w, into: &input) },
            best { arithmetic.addWeightGradient(y, x, into: &weight) },
        ]
        Report(
            title: "Products, \(n) rows, (\(m), \(k)) in \(stored), computed in \(precision)",
            seconds: seconds[0], tokens: n, work: Work(operations: operations),
            extra: zip(["forward", "input", "weight"], seconds).map {
                ($0 + "_gflops", operations / $1 / 1e9)
            }
        ).print()
    }
}
