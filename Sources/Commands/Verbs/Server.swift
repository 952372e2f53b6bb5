import CommandLanguage
import Foundation
import Rendering
import Servers
import Values

extension CommandTable {
    static let serverCommand = Command(
        "server", .models, "names a server that writes, answers or judges",
        about: """
            Any server with OpenAI's API: vLLM, llama.cpp, Ollama, `transformers serve`, a hosted \
            one. `propose writer=`, `rollout engine=`, `generate engine=` and `judge judge=` and \
            `against=` take its name. Nothing is asked before that; `probe` shows which settings \
            it honors. Every answer is kept in the workspace: what was asked once is not asked \
            again, and `replay` needs no network. A key stands in an environment variable, which \
            is read when requests are sent; the key itself is written nowhere. With `price=` the \
            verbs that ask say what their answers cost.
            """,
        makes: ["server"],
        operands: [.optional("name", .name, "a name for it; or NAME = server …")],
        options: [
            OptionSpecification(
                "url", .path, "where its API is, as http://127.0.0.1:8000/v1"),
            OptionSpecification("model", .text, "the name of a model there"),
            OptionSpecification(
                "api",
                .words([
                    Choice("chat", "messages (default)"),
                    Choice("completions", "text that is continued"),
                ]), "how it is asked"),
            OptionSpecification("key", .word, "the environment variable with its key"),
            OptionSpecification(
                "concurrency", .number, "requests underway at once; default: 4"),
            OptionSpecification(
                "timeout", .number, "seconds for one answer; default: 300"),
            OptionSpecification(
                "retries", .number,
                "how often a request is sent again when the server is busy or fails; default: 5"),
            OptionSpecification(
                "price", .value,
                "[INPUT, OUTPUT]: money a million tokens that it reads, and that it writes"),
            OptionSpecification(
                "answers", .path,
                "a file that `export answers` wrote: its requests are not sent"),
        ],
        example: #"server teacher url="http://127.0.0.1:8000/v1" model="qwen3-8b""#, run: server)

    private static func server(_ invocation: Invocation) throws -> CommandResult {
        guard let name = try invocation.text("name") ?? invocation.target?.name else {
            throw invocation.error(
                "a server needs a name", suggestion: #"server teacher url="…" model="…""#)
        }
        func required(_ role: String) throws -> String {
            guard let text = try invocation.text(role)?.trimmingCharacters(in: .whitespaces),
                !text.isEmpty
            else {
                throw invocation.error(
                    "`server` needs `\(role)=`",
                    suggestion: #"server \#(name) url="…" model="…""#)
            }
            return text
        }
        let url = try required("url")
        let address: ServerAddress
        do {
            address = try ServerAddress(url)
        } catch {
            throw invocation.located(error, at: "url")
        }
        var server = Server(address: address, model: try required("model"))
        if let api = try invocation.word("api", Server.API.self) { server.api = api }
        if let variable = try invocation.text("key") {
            try check(variable, invocation)
            server.keyVariable = variable
        }
        if let count = try invocation.integer(
            "concurrency", atLeast: Server.concurrencyLimits.lowerBound,
            atMost: Server.concurrencyLimits.upperBound)
        {
            server.concurrency = count
        }
        if let seconds = try invocation.number(
            "timeout", in: Server.timeoutLimits, rule: "from 1 to 86,400 seconds")
        {
            server.timeout = seconds
        }
        if let count = try invocation.integer(
            "retries", atLeast: Server.retryLimits.lowerBound,
            atMost: Server.retryLimits.upperBound)
        {
            server.retries = count
        }
        server.price = try price(invocation)
        var notes: [String] = []
        if let variable = server.keyVariable,
            ProcessInfo.processInfo.environment[variable]?.isEmpty ?? true
        {
            notes.append("the environment variable \(variable) is not set yet")
        }
        if let count = try keepAnswers("answers", invocation) {
            notes.append(
                "\(NumberText.count(count, "answer")) of \(try invocation.text("answers") ?? "") kept"
            )
        }
        return CommandResult(name, ServerObject(server: server), notes: notes)
    }

    /// Nil without `price`, and for null, which a script's parameter may be.
    private static func price(_ invocation: Invocation) throws -> TokenPrice? {
        if case .null? = try invocation.value("price") { return nil }
        guard let prices = try invocation.numbers("price") else { return nil }
        guard prices.count == 2, prices.allSatisfy({ $0 >= 0 }) else {
            throw invocation.error(
                "`price` is two numbers of at least 0: money a million tokens that are read, and "
                    + "that are written",
                suggestion: "price=[0.15, 0.6]", at: "price")
        }
        return TokenPrice(input: prices[0], output: prices[1])
    }

    /// A person may give the key itself in place of its variable. It is in the journal by then, so
    /// the sentence says what to do.
    private static func check(_ variable: String, _ invocation: Invocation) throws {
        let isName =
            variable.utf8.count <= 64
            && variable.range(of: "^[A-Za-z_][A-Za-z0-9_]*$", options: .regularExpression) != nil
        guard isName else {
            throw invocation.error(
                "`key` is the name of an environment variable such as OPENAI_API_KEY, not the key: "
                    + "what was typed stands in the journal now, so a real key should be replaced",
                at: "key")
        }
    }
}
