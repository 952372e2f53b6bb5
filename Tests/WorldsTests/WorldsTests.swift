import Testing

@testable import Worlds
