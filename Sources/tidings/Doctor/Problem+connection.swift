import NIOCore
import NIOPosix
import NIOSSL
import TidingsClient

extension Problem {
    /// Why no WebSocket was opened, and at what that was seen.
    static func opening(_ error: any Error, isSecure: Bool) -> (Finding.Check, Problem) {
        switch error {
        case let refusal as HandshakeRefusal: (.upgrade, refused(refusal))
        case let failure as NIOConnectionError: (.connection, unreachable(failure))
        case let failure as BoringSSLError: (.certificate, tls("\(failure)"))
        case let failure as NIOSSLError: (.certificate, tls("\(failure)"))
        case is NIOSSLExtraError:
            (.certificate, untrusted("it is for another name than the URL's"))
        case ChannelError.connectTimeout:
            (
                .connection,
                Problem(
                    "no_answer",
                    "nothing answered in time.",
                    "Look whether a firewall lets the port through, and whether the server is overloaded."
                )
            )
        default: (.upgrade, noWebSocket("\(error)", isSecure: isSecure))
        }
    }

    private static func unreachable(_ error: NIOConnectionError) -> Problem {
        guard let failure = error.connectionErrors.first?.error else {
            return Problem(
                "unknown_name",
                "the name \(error.host) has no address.",
                "Look for a misspelling in the URL, and at the name server."
            )
        }
        return Problem(
            "nothing_listening",
            "nobody listens on port \(error.port) of \(error.host) (\(failure)).",
            "Start the server, and compare its line \"listening on\" with the URL; 127.0.0.1 there is reachable from that "
                + "machine only: set host."
        )
    }

    private static func tls(_ description: String) -> Problem {
        if description.contains("CERTIFICATE_VERIFY_FAILED") || description.contains("certificate verify failed") {
            return untrusted("its authority is not trusted, or it has expired")
        }
        return Problem(
            "no_tls",
            "the server does not speak TLS here (\(description)).",
            "Use ws:// and no wss://, or set tls.certificate and tls.key."
        )
    }

    private static func untrusted(_ reason: String) -> Problem {
        Problem(
            "certificate_not_trusted",
            "the server's certificate is not accepted: \(reason).",
            "Give the authority's certificate with --certificate-authority, and put those between into tls.certificate."
        )
    }

    private static func noWebSocket(_ description: String, isSecure: Bool) -> Problem {
        Problem(
            "no_websocket",
            "what answers is no WebSocket server (\(description)).",
            isSecure ? "Look at host and port." : "Look at host and port; if the server speaks TLS, the URL is wss://."
        )
    }

    private static func refused(_ refusal: HandshakeRefusal) -> Problem {
        let detail = refusal.detail.map { ": \($0)" } ?? ""
        let what = "the server answered with status \(refusal.status)\(detail)"
        return switch (refusal.status, refusal.code) {
        case (404, _):
            Problem("wrong_path", what, "The path is /ws/broadcast, behind a proxy with what it puts before.")
        case (403, _): originRefused(what)
        case (503, "draining"):
            Problem("draining", what, "The server is being stopped: ask another one, or wait until it is back.")
        case (503, "server_full"):
            Problem("server_full", what, "Set limits.connections higher, or add a server.")
        case (503, "authentication_unavailable"):
            Problem("keys_unavailable", what, "The server cannot load authentication.key_set: look at its log.")
        case (426, _):
            Problem("upgrade_lost", what, "A proxy on the way does not pass Upgrade and Connection on: have it do so.")
        case (300..<400, _): Problem("redirected", what, "Use the URL that it points to: a WebSocket follows none.")
        case (500..., _):
            Problem("server_error", what, "Look at the log of the server, and of the proxy in front of it.")
        default:
            Problem(
                "no_websocket",
                what,
                "Something else than a broadcast server answers here: look at host, port and path."
            )
        }
    }

    static func originRefused(_ what: String) -> Problem {
        Problem("origin_refused", what, "Put the page's origin into the server's setting origins, without a path.")
    }
}
