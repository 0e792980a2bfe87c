"""Small pages that stand alone: a notice, and the form to sign in. No script, no file, every text escaped."""

from base64 import b64encode
from hashlib import sha256
from html import escape

from fastapi.responses import HTMLResponse

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:15vh auto;max-width:26rem;padding:0 1rem;color-scheme:light dark}"
    "h1{font-size:1.3rem}label{display:block;margin:1rem 0 .3rem}input{width:100%;box-sizing:border-box;padding:.5rem}"
    "button{margin-top:1rem;padding:.5rem 1rem}p[role=alert]{color:#c62828}"
)
POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def notice_page(status: int, title: str, sentence: str, way_on: tuple[str, str] | None = None) -> HTMLResponse:
    """A sentence and, if there is one, a way on: (address, words)."""
    link = f'<p><a href="{escape(way_on[0])}">{escape(way_on[1])}</a></p>' if way_on else ""
    return _page(status, title, f"<p>{escape(sentence)}</p>{link}")


def sign_in_page(status: int, next_page: str, problem: str | None = None) -> HTMLResponse:
    """The form that takes the access token."""
    alert = f'<p role="alert">{escape(problem)}</p>' if problem else ""
    form = (
        f'<form method="post" action="/login">{alert}<input type="hidden" name="next" value="{escape(next_page)}">'
        '<label for="token">Access token</label>'
        '<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>'
        "<button>Sign in</button></form><p>Whoever started this server chose it (REFUSALSCOPE_TOKEN).</p>"
    )
    return _page(status, "Sign in", form)


def _page(status: int, title: str, body: str) -> HTMLResponse:
    content = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} - Refusalscope</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )
    # A form of a page without referrer would be sent with the origin "null", like one from elsewhere.
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
    return HTMLResponse(content, status, headers)
