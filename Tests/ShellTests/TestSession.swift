import Sessions

/// A session of which nothing is kept.
func testSession() throws -> Session {
    var configuration = Session.Configuration()
    configuration.access = .ephemeral
    return try Session(configuration)
}

/// A statement that takes minutes unless it is stopped, and reports its progress.
let longStatement = "train tokenizer documents=2000000 vocabulary=60000"

extension Session {
    /// The bound names, to see which assignments ran.
    var assigned: [String] { boundNames.map(\.name).sorted() }
}
