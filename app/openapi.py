"""`python -m app.openapi FILE`: the OpenAPI document as a file, for whoever reviews a change of the wire."""

import json
import sys
from pathlib import Path

from app.server import api_document


def written() -> str:
    """The document as the file holds it."""
    return json.dumps(api_document(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(written(), encoding="utf-8")
