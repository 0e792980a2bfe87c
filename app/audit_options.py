"""What `refusalscope audit` is asked, whoever does the work: this machine or a server. Imports no torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.audit.spec import EffortName, OnsetMethod
    from backend.subjects.subject import Device, Dtype


@dataclass(frozen=True, kw_only=True)
class AuditOptions:
    """As they were given; `app.cli` says what each means."""

    subject: str
    prompts: str
    out: Path
    effort: "EffortName" = "standard"
    layers: str | None = None
    saes: str | None = None
    seed: int = 0
    device: "Device" = "auto"
    dtype: "Dtype" = "auto"
    onset: "OnsetMethod" = "calibrated"
    include_sink: bool = False
    judge: tuple[str, ...] = ("phrases",)
    resume: bool = False
    gate: Path | None = None
