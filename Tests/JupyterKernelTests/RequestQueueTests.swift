import Foundation
import JSON
import Sessions
import Testing

@testable import JupyterKernel

@Suite struct RequestQueueTests {
    private func request(_ code: String, stops: Bool? = nil) -> Message {
        var content: [JSON.Member] = [.init("code", .string(code))]
        if let stops { content.append(.init("stop_on_error", .bool(stops))) }
        return Message("execute_request", content, to: [], parent: [:])
    }

    @Test func `an interrupt stops the running request and refuses those after it`() throws {
        let interruption = Interruption()
        let queue = RequestQueue(interruption)
        for code in ["1", "2", "3"] { queue.add(request(code), from: .shell) }
        queue.add(Message("complete_request", [], to: [], parent: [:]), from: .shell)
        #expect(queue.next()?.isRefused == false)
        #expect(!interruption.isRequested)
        queue.interrupt()
        #expect(interruption.isRequested)
        queue.finish()
        // The next request does not hear of it.
        let second = try #require(queue.next())
        #expect(second.isRefused && !interruption.isRequested)
        queue.finish()
        queue.add(request("4"), from: .shell)
        #expect(queue.next()?.isRefused == true)
        queue.finish()
        #expect(queue.next()?.isRefused == false)
        queue.finish()
        #expect(queue.next()?.isRefused == false)
    }

    @Test func `an interrupt with nothing to stop does nothing later`() {
        let interruption = Interruption()
        let queue = RequestQueue(interruption)
        queue.interrupt()
        #expect(!interruption.isRequested)
        queue.add(request("1"), from: .shell)
        #expect(queue.next()?.isRefused == false)
    }

    @Test func `after a failure those run that do not mind`() throws {
        let queue = RequestQueue(Interruption())
        for stops in [nil, true, false] { queue.add(request("1", stops: stops), from: .shell) }
        queue.refuseWaiting()
        let refused = try (0..<3).map { _ in try #require(queue.next()).isRefused }
        #expect(refused == [true, true, false])
    }

    @Test func `a request that was sent before a failure and comes after it does not run`() throws {
        let queue = RequestQueue(Interruption())
        let (before, free) = (request("1"), request("2", stops: false))
        Thread.sleep(forTimeInterval: 0.01)
        queue.refuseWaiting()
        var (undated, old) = (request("3"), request("4"))
        undated.header = ["msg_type": "execute_request", "date": "yesterday"]
        old.header = [
            "msg_type": "execute_request", "date": "2020-01-01T00:00:00.123456+00:00",
        ]
        for message in [before, free, undated, request("5"), old] {
            queue.add(message, from: .shell)
        }
        let refused = try (0..<5).map { _ in try #require(queue.next()).isRefused }
        #expect(refused == [true, false, false, false, true])
        Thread.sleep(forTimeInterval: 0.6)
        queue.add(before, from: .shell)
        #expect(queue.next()?.isRefused == false)
    }

    @Test func `the end wakes a thread that waits, and nothing runs after it`() {
        let interruption = Interruption()
        let queue = RequestQueue(interruption)
        let ended = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            #expect(queue.next() == nil)
            ended.signal()
        }
        queue.close()
        #expect(ended.wait(timeout: .now() + 10) == .success)
        queue.add(request("1"), from: .shell)
        #expect(queue.next() == nil)
        #expect(interruption.isRequested)
    }
}

extension RequestQueue.Request: Equatable {
    public static func == (left: Self, right: Self) -> Bool {
        left.message.header == right.message.header && left.isRefused == right.isRefused
    }
}
