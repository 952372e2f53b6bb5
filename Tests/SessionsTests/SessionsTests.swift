import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import ShippedWorld
@testable import Values
