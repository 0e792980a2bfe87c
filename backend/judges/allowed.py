"""Which judges a server's clients may name. Imports no machinery, so that the web process may ask.

A client must not make the server call an address or open a folder: only what the operator named is taken.
"""

import os
from collections.abc import Mapping, Sequence

from backend.errors import BadInput

DEFAULT_JUDGE = "phrases"
VARIABLE = "REFUSALSCOPE_JUDGES"


def allowed_judges(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The default, and what the operator named, separated by spaces."""
    return tuple(dict.fromkeys([DEFAULT_JUDGE, *environment.get(VARIABLE, "").split()]))


def check_allowed(judges: Sequence[str], environment: Mapping[str, str] = os.environ) -> None:
    """Raises BadInput for a judge that the operator has not named, and for one named twice."""
    allowed = allowed_judges(environment)
    for i, name in enumerate(judges):
        if name not in allowed:
            raise BadInput(
                f"judge: {name[:120]} is not offered here; choose from {', '.join(allowed)} (the operator names more "
                f"in {VARIABLE})"
            )
        if name in judges[:i]:
            raise BadInput(f"judge: {name[:120]} is named twice; name each once")
