import Testing

@testable import Workspaces
