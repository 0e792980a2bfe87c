"""The folder an audit is written to: checkpoints while it runs, the report and its tensors when it is done.

Every file is whole or not there: written beside its place and moved in. Knows files; knows nothing of the science.
"""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from backend.audit.audit import Audited
from backend.errors import BadInput, OutputError
from backend.reports.report_json import report_to_json
from backend.reports.tensor_files import completions_file, directions_file
from backend.reports.whole_file import make_folder, write_whole

T = TypeVar("T")

REPORT, COMPLETIONS, DIRECTIONS = "report.json", "completions.safetensors", "directions.safetensors"
CHECKPOINTS, IDENTITY = "checkpoints", "audit.json"


class AuditFolder:
    """One audit's folder. Implements `backend.audit.progress.Checkpoint`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._checkpoints = path / CHECKPOINTS

    def prepare(self, *, resume: bool) -> None:
        """Make the folder and prove it can be written. Raises OutputError, one line, before any work is done."""
        if self.path.exists() and not self.path.is_dir():
            raise OutputError(f"--out: {self.path} is a file; name a folder")
        begun = (self.path / IDENTITY).exists() or (self.path / REPORT).exists()
        if begun and not resume:
            raise OutputError(f"--out: {self.path} already holds an audit; add --resume, or name another folder")
        if resume and not (self.path / IDENTITY).exists():
            raise OutputError(f"--resume: {self.path} holds no audit to resume; leave --resume out")
        make_folder(self._checkpoints)
        write_whole(self.path / ".probe", b"refusalscope")
        (self.path / ".probe").unlink()

    def claim(self, identity: dict[str, Any]) -> None:
        """Say what this audit is of, or on resuming check that it is the same.

        identity: everything the numbers depend on, by name. Raises BadInput naming what differs.
        """
        place = self.path / IDENTITY
        if place.exists():
            known = json.loads(place.read_text("utf-8"))
            for name in identity:
                if known.get(name) != identity[name]:
                    raise BadInput(
                        f"--resume: {self.path} was begun with another {name.replace('_', ' ')} "
                        f"({_short(known.get(name))}, now {_short(identity[name])}); use the same, or another --out"
                    )
            return
        write_whole(place, json.dumps(identity, indent=1, ensure_ascii=False, allow_nan=False).encode())

    # -- Checkpoint --------------------------------------------------------------------------------------------

    def load(self, key: str, kind: type[T]) -> T | None:
        place = self._checkpoints / f"{key}.json"
        if not place.exists():
            return None
        try:
            return TypeAdapter(kind).validate_json(place.read_bytes())
        except (ValidationError, OSError) as error:
            raise BadInput(f"--resume: {place} is damaged; delete this one file and resume again") from error

    def save(self, key: str, value: Any) -> None:
        write_whole(self._checkpoints / f"{key}.json", TypeAdapter(type(value)).dump_json(value))

    # -- the finished audit ------------------------------------------------------------------------------------

    def finish(self, audited: Audited) -> None:
        """Write tensors, then the report: a folder with a report is complete."""
        write_whole(self.path / COMPLETIONS, completions_file(audited))
        write_whole(self.path / DIRECTIONS, directions_file(audited))
        write_whole(self.path / REPORT, report_to_json(audited.report).encode())


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 40 else f"{sha256(text.encode()).hexdigest()[:12]}…"
