import Hummingbird
import HummingbirdCore
import NIOCore
import TidingsBroadcast

/// The console's page, what belongs to it, and the WebSocket that tells it.
struct ConsoleRoutes {
    private static let maximumFormBytes = 4096

    private let path: String
    private let access: ConsoleAccess
    private let hub: BroadcastHub
    private let errors: RecentErrors

    init(_ console: Console, feeds: ConsoleFeeds) {
        path = console.path.description
        access = ConsoleAccess(console)
        hub = feeds.hub
        errors = feeds.errors
    }

    func add(to router: some RouterMethods) {
        router.get(RouterPath(path)) { request, _ in
            switch await access.decide(request) {
            case .allowed: page(PackageResources.console_html, .ok)
            case .refused: signInPage()
            case .limited(let wait): signInPage(limitedFor: wait)
            }
        }
        router.post(RouterPath(path)) { request, _ in try await signIn(request) }
        router.post(RouterPath(path + "/leave")) { request, _ in
            redirect(setting: access.noCookie(overTLS: request.isFromSecurePage))
        }
        // The page that asks for the secret looks like the other one.
        router.get(RouterPath(path + "/console.css")) { _, _ in file(PackageResources.console_css, "text/css") }
        for (name, bytes) in Self.modules {
            router.get(RouterPath("\(path)/\(name)")) { request, _ in
                try await access.check(request)
                return file(bytes, "text/javascript")
            }
        }
        router.get(RouterPath(path + "/feed")) { request, _ in try await connect(request) }
    }

    private static let modules = [
        ("page.js", PackageResources.page_js), ("feed.js", PackageResources.feed_js),
        ("rates.js", PackageResources.rates_js), ("chart.js", PackageResources.chart_js),
        ("view.js", PackageResources.view_js), ("words.js", PackageResources.words_js),
    ]

    /// Only pages of this host: a page of another origin would come with the operator's cookie.
    private func connect(_ request: Request) async throws -> Response {
        try await access.check(request)
        guard let attempt = UpgradeAttempt.current else { throw UpgradeAttempt.notAnUpgrade }
        try AllowedOrigins.sameHost.check(request)
        if let refusal = hub.refusal { throw Problem(refusal) }
        let hub = hub
        return try attempt.accept { eventLoop, hasTLS in
            hub.makeFeedSessionHandler(on: eventLoop, writesDirectly: !hasTLS)
        }
    }
}

// MARK: - Signing in

extension ConsoleRoutes {
    private func signIn(_ request: Request) async throws -> Response {
        try AllowedOrigins.sameHost.check(request)
        guard let body = try? await request.body.collect(upTo: Self.maximumFormBytes),
            // What a form sends is written as a query is.
            let secret = URI("/?" + String(buffer: body).replacing("+", with: "%20")).queryParameters.get("secret"),
            !secret.isEmpty
        else { return refuse() }
        return switch access.decide(String(secret)) {
        case .allowed: redirect(setting: try await access.cookie(overTLS: request.isFromSecurePage))
        case .refused: refuse()
        case .limited(let wait): signInPage(limitedFor: wait)
        }
    }

    private func refuse() -> Response {
        errors.record(.client, code: "console_refused", "Somebody tried to sign in here with a wrong secret.")
        return signInPage(after: "This is not the secret.")
    }

    private func signInPage(after message: String = "") -> Response {
        var response = page(PackageResources.signin_html, .unauthorized, message: message)
        response.headers[.wwwAuthenticate] = "Bearer"
        return response
    }

    private func signInPage(limitedFor wait: TimeAmount) -> Response {
        errors.record(.client, code: "console_limited", "Wrong secrets come in here faster than they are looked at.")
        let message = "Too many wrong secrets came in here. Try again in a moment."
        var response = page(PackageResources.signin_html, .tooManyRequests, message: message)
        response.headers[.retryAfter] = wait.retryAfter
        return response
    }

    private func redirect(setting cookie: String) -> Response {
        Response(status: .seeOther, headers: [.location: path, .setCookie: cookie, .cacheControl: "no-store"])
    }
}

// MARK: - Files

extension ConsoleRoutes {
    private func page(_ template: [UInt8], _ status: HTTPResponse.Status, message: String = "") -> Response {
        let text = String(decoding: template, as: UTF8.self).replacing("{path}", with: path)
            .replacing("{message}", with: message)
        var response = file(Array(text.utf8), "text/html", status)
        response.headers[.contentSecurityPolicy] = Self.policy
        return response
    }

    private func file(_ bytes: [UInt8], _ type: String, _ status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [
                .contentType: type + "; charset=utf-8", .cacheControl: "no-store", .xContentTypeOptions: "nosniff",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        )
    }

    /// Nothing but what this server has below the console's path, and nothing written into the page.
    private static let policy = """
        default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; form-action 'self'; \
        frame-ancestors 'none'; base-uri 'none'
        """
}

extension Request {
    /// Whether a browser's page was loaded over TLS, whoever ends that: then its cookies need not travel without.
    fileprivate var isFromSecurePage: Bool { headers[.origin]?.hasPrefix("https://") ?? false }
}
