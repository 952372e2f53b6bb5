/// An OpenAI-compatible server that writes text: vLLM, llama.cpp, Ollama, `transformers serve`, a
/// hosted one.
///
/// It holds the name of the environment variable with its key, never the key.
public struct Server: Sendable, Hashable, Codable {
    /// How the server is asked.
    public enum API: String, Sendable, Codable, CaseIterable {
        /// `POST /chat/completions`, with messages.
        case chat
        /// `POST /completions`, with a text that is continued.
        case completions
    }

    public var address: ServerAddress
    /// The name of the model at the server.
    public var model: String
    public var api = API.chat
    /// The environment variable with the key; nil for a server without keys.
    public var keyVariable: String?
    /// Requests that may be underway at once.
    public var concurrency = 4
    /// Seconds for one answer.
    public var timeout = 300.0
    /// How often a request is sent again after a fault that may pass.
    public var retries = 5
    /// Nil for a server whose tokens cost nothing, or an unknown sum.
    public var price: TokenPrice?

    public init(
        address: ServerAddress, model: String, api: API = .chat, keyVariable: String? = nil,
        concurrency: Int = 4, timeout: Double = 300, retries: Int = 5, price: TokenPrice? = nil
    ) {
        self.address = address
        self.model = model
        self.api = api
        self.keyVariable = keyVariable
        self.concurrency = concurrency
        self.timeout = timeout
        self.retries = retries
        self.price = price
    }

    /// Where requests are sent.
    var endpoint: String { endpoint(api) }

    func endpoint(_ api: API) -> String {
        address.text + (api == .chat ? "/chat/completions" : "/completions")
    }

    /// Whether all settings lie within their limits; those of a file may not.
    public var isWithinLimits: Bool {
        Server.concurrencyLimits.contains(concurrency) && Server.timeoutLimits.contains(timeout)
            && Server.retryLimits.contains(retries)
            && [price?.input, price?.output].allSatisfy { ($0 ?? 0) >= 0 && ($0 ?? 0).isFinite }
    }

    /// The limits of settings that a person gives.
    public static let concurrencyLimits = 1...64
    public static let timeoutLimits = 1.0...86_400
    public static let retryLimits = 0...20
}
