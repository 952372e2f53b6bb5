import CCurl

struct HTTPRequest: Sendable {
    var url: String
    /// Lines such as `Content-Type: application/json`.
    var headers: [String]
    /// Sent by POST.
    var body: [UInt8]
    /// Whether the server is this machine, so that no proxy of the environment is asked: it would
    /// read the key, and may not reach the server.
    var isLocal: Bool
}

struct HTTPAnswer: Sendable {
    var status: Int
    var body: [UInt8]
    /// Seconds that the server asks to wait, from `Retry-After`.
    var wait: Int?
    /// Where a redirection leads.
    var location: String?
}

/// Why a request has no answer.
enum HTTPFault: Error, Hashable, Sendable {
    /// No connection: a name that is not known, a port where nothing listens.
    case unreachable(String)
    /// The server's certificate is not valid for its name.
    case certificate(String)
    case timeout
    /// The body is longer than the limit.
    case tooLarge
    /// The connection ended inside of the answer.
    case cut(String)
    case other(String)
}

/// HTTP requests that are underway together, driven by the calling thread through libcurl.
///
/// Redirections are not followed, so a key only goes where a person sent it. Bodies are not
/// compressed, so the limit of their length is that of the memory.
final class HTTPTransfers {
    /// The longest body that is received.
    static let largestBody = 16 << 20
    private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    /// What the callback of one transfer writes to.
    private final class Transfer {
        let handle: UnsafeMutableRawPointer
        let tag: Int
        let headers: UnsafeMutablePointer<curl_slist>?
        var body: [UInt8] = []
        var isTooLarge = false

        init(handle: UnsafeMutableRawPointer, tag: Int, headers: UnsafeMutablePointer<curl_slist>?)
        {
            self.handle = handle
            self.tag = tag
            self.headers = headers
        }
    }

    private let multi: UnsafeMutableRawPointer
    private let timeout: Double
    private var transfers: [UnsafeMutableRawPointer: Transfer] = [:]

    /// - Parameter timeout: seconds for one whole answer.
    init?(timeout: Double) {
        guard HTTPTransfers.isReady, let multi = curl_multi_init() else { return nil }
        self.multi = multi
        self.timeout = timeout
    }

    deinit {
        for handle in transfers.keys { remove(handle) }
        curl_multi_cleanup(multi)
    }

    /// Number of requests without an answer.
    var count: Int { transfers.count }

    /// Starts a request. `wait` names its answer with the tag.
    func start(_ request: HTTPRequest, tag: Int) throws(HTTPFault) {
        guard let easy = curl_easy_init() else { throw .other("no memory for a request") }
        var headers: UnsafeMutablePointer<curl_slist>?
        // An empty `Expect:` sends the body at once.
        for line in request.headers + ["Expect:"] { headers = curl_slist_append(headers, line) }
        let transfer = Transfer(handle: easy, tag: tag, headers: headers)
        let context = Unmanaged.passUnretained(transfer).toOpaque()
        func set(_ option: CURLoption, _ value: Int) { sami_curl_set_long(easy, option, value) }
        sami_curl_set_text(easy, CURLOPT_URL, request.url)
        sami_curl_set_text(easy, CURLOPT_PROTOCOLS_STR, "http,https")
        sami_curl_set_text(easy, CURLOPT_USERAGENT, "sami")
        if request.isLocal { sami_curl_set_text(easy, CURLOPT_PROXY, "") }
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_NOSIGNAL, 1)
        // A stop must not wait for a name server.
        set(CURLOPT_QUICK_EXIT, 1)
        set(CURLOPT_CONNECTTIMEOUT_MS, 10_000)
        set(CURLOPT_TIMEOUT_MS, max(1, Int(min(timeout, 1e6) * 1000)))
        sami_curl_set_pointer(easy, CURLOPT_HTTPHEADER, headers)
        sami_curl_set_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.count))
        request.body.withUnsafeBufferPointer {
            _ = sami_curl_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, $0.baseAddress)
        }
        sami_curl_set_receiver(easy, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            guard let context, let bytes else { return 0 }
            let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            guard transfer.body.count + size * count <= HTTPTransfers.largestBody else {
                transfer.isTooLarge = true
                return 0
            }
            transfer.body.append(
                contentsOf: UnsafeRawBufferPointer(start: bytes, count: size * count))
            return size * count
        }
        sami_curl_set_pointer(easy, CURLOPT_WRITEDATA, context)
        transfers[transfer.handle] = transfer
        guard curl_multi_add_handle(multi, easy) == CURLM_OK else {
            remove(transfer.handle)
            throw .other("the request could not be started")
        }
    }

    /// Waits for a while and returns the requests that have ended.
    func wait(milliseconds: Int32) -> [(tag: Int, result: Result<HTTPAnswer, HTTPFault>)] {
        var running: Int32 = 0
        curl_multi_perform(multi, &running)
        if running == count { curl_multi_poll(multi, nil, 0, milliseconds, nil) }
        curl_multi_perform(multi, &running)
        var ended: [(tag: Int, result: Result<HTTPAnswer, HTTPFault>)] = []
        var rest: Int32 = 0
        while let message = curl_multi_info_read(multi, &rest) {
            guard message.pointee.msg == CURLMSG_DONE,
                let handle = message.pointee.easy_handle,
                let transfer = transfers[handle]
            else { continue }
            ended.append((transfer.tag, result(transfer, sami_curl_result(message))))
            remove(handle)
        }
        return ended
    }

    private func result(_ transfer: Transfer, _ code: CURLcode) -> Result<HTTPAnswer, HTTPFault> {
        let easy = transfer.handle
        guard code == CURLE_OK else {
            let words = String(cString: curl_easy_strerror(code))
            switch code {
            case CURLE_WRITE_ERROR where transfer.isTooLarge: return .failure(.tooLarge)
            case CURLE_OPERATION_TIMEDOUT:
                var connected: curl_off_t = 0
                sami_curl_get_size(easy, CURLINFO_PRETRANSFER_TIME_T, &connected)
                return .failure(connected > 0 ? .timeout : .unreachable("no connection in time"))
            case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_PROXY:
                return .failure(.unreachable(words))
            case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CACERT_BADFILE,
                CURLE_SSL_ISSUER_ERROR:
                return .failure(.certificate(words))
            case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR,
                CURLE_WEIRD_SERVER_REPLY, CURLE_HTTP2, CURLE_HTTP2_STREAM,
                // A status line that was cut looks like HTTP 0.9.
                CURLE_UNSUPPORTED_PROTOCOL:
                return .failure(.cut(words))
            default: return .failure(.other(words))
            }
        }
        var (status, wait) = (0, curl_off_t(0))
        var location: UnsafePointer<CChar>?
        sami_curl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
        sami_curl_get_size(easy, CURLINFO_RETRY_AFTER, &wait)
        sami_curl_get_text(easy, CURLINFO_REDIRECT_URL, &location)
        return .success(
            HTTPAnswer(
                status: status, body: transfer.body, wait: wait > 0 ? Int(wait) : nil,
                location: location.map { String(cString: $0) }))
    }

    private func remove(_ handle: UnsafeMutableRawPointer) {
        curl_multi_remove_handle(multi, handle)
        curl_easy_cleanup(handle)
        if let headers = transfers[handle]?.headers { curl_slist_free_all(headers) }
        transfers[handle] = nil
    }
}
