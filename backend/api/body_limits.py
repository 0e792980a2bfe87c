"""How large a request may be, by its path. Counts bytes as they come, so that none is read in vain."""

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import Message, Receive

from backend.api.problem import ApiError
from backend.prompts.text_file import MAX_BYTES

ENVELOPE = 64 * 1024  # of a multipart or JSON body around what it carries
REPORT_BYTES = 256 * 1024 * 1024  # a report of 10,000 prompts is about 60 MB
ANY_BYTES = 1024 * 1024
LIMITS = {
    "/api/prompt-sets": MAX_BYTES + ENVELOPE,
    "/api/prompt-sets/paste": MAX_BYTES + ENVELOPE,
    "/api/audits/import": REPORT_BYTES,
    "/_dash-update-component": MAX_BYTES // 3 * 4 + ENVELOPE,  # an upload arrives as base64
}


class TooLarge(ApiError):
    status, title = 413, "Too large"


def body_limit(path: str) -> int:
    return LIMITS.get(path, ANY_BYTES)


def limited(receive: Receive, headers: Headers, most: int) -> Receive:
    """`receive` that fails beyond `most` bytes. Raises TooLarge at once when the request says how long it is."""
    detail = f"The request is larger than {most / 1e6:.0f} MB; send less at once"
    declared = headers.get("content-length", "0")
    if not declared.isdigit() or int(declared) > most:
        raise TooLarge(detail)
    read = 0

    async def counted() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > most:
            raise HTTPException(TooLarge.status, detail)  # the one kind that the framework lets through while it reads
        return message

    return counted
