"""HTTP to the stack's host names. Browsers and curl resolve `*.localhost` themselves, Python does not."""

from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from tools.local.emulator import HOST

# A burst of cold starts on two cores takes its time.
TIMEOUT_SECONDS = 60.0


class LoopbackTransport(httpx.HTTPTransport):
    """Connects to the loopback address, whatever host the request names in its Host header."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request to the same port of the loopback address."""
        # A new request: the client still needs the original's address, for redirects and cookies.
        return super().handle_request(
            httpx.Request(
                request.method,
                request.url.copy_with(host=HOST),
                headers=request.headers,  # its Host was set from the original address
                stream=request.stream,
                extensions=request.extensions,
            )
        )


def loopback_client(*, base_url: str = "") -> httpx.Client:
    """Make an HTTP client for `http://*.localhost` that follows no redirect and keeps no cookie.

    Parameters
    ----------
    base_url
        What relative addresses are relative to.
    """
    return httpx.Client(
        # As many connections as there are requests at once: a pool would queue the parallel ones.
        transport=LoopbackTransport(limits=httpx.Limits(max_connections=None)),
        base_url=base_url,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
        timeout=TIMEOUT_SECONDS,
        trust_env=False,
    )
