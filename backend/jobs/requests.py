"""What a job is asked, by kind: the `args` of its row, checked. Knows no tensor, so the web process may make them.

Results, the `result` of its row: audit -> {"audit_id", "memory_gib": the most that its worker has held};
check -> {"subject", "check": CheckFigures};
what_if -> a WhatIfResult and beside its fields `token_ids` (arm -> ids of the completion, never words);
reveal -> {"completion", "text"}.
"""

from typing import Final, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from backend.api.schemas import WhatIfRequest
from backend.errors import BadInput

JobKind = Literal["audit", "check", "what_if", "reveal"]
PRIORITY: Final[dict[JobKind, int]] = {"audit": 0, "check": 5, "what_if": 10, "reveal": 10}
INTERACTIVE = 10  # jobs of this priority are answered between the batches of a running audit


class Args(BaseModel):
    """What the worker does not need may stand beside it."""


class AuditArgs(Args):
    audit_id: str
    fresh: bool = False  # take no piece that another audit has finished


class CheckArgs(Args):
    subject: str  # its id


class WhatIfArgs(Args):
    audit_id: str
    prompt_id: str
    request: WhatIfRequest


class RevealArgs(Args):
    audit_id: str
    prompt_id: str
    completion: str  # `prompt/arm`, or what_if:JOB:baseline|intervened|random


A = TypeVar("A", bound=Args)


def read_args(kind: type[A], args: dict[str, object]) -> A:
    """Raises BadInput naming the field."""
    try:
        return kind.model_validate(args)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BadInput(f"{where}: {first['msg']}") from error
