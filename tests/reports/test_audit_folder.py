"""The audit's folder: whole files or none, resumed only by the same audit, and a full disk said in one line."""

import errno
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from backend.errors import BadInput, OutputError
from backend.reports import whole_file
from backend.reports.audit_folder import AuditFolder


@dataclass(frozen=True)
class Kept:
    """Something to checkpoint."""

    number: float
    names: tuple[str, ...]


def test_a_checkpoint_comes_back_bit_for_bit(tmp_path: Path) -> None:
    folder = AuditFolder(tmp_path / "audit")
    folder.prepare(resume=False)
    value = Kept(0.1 + 0.2, ("ä", "\u2028", '"'))
    assert folder.load("key", Kept) is None
    folder.save("key", value)
    assert folder.load("key", Kept) == value


def test_a_folder_in_use_is_not_written_over(tmp_path: Path) -> None:
    folder = AuditFolder(tmp_path)
    folder.prepare(resume=False)
    folder.claim({"seed": 0})
    with pytest.raises(OutputError, match="--resume"):
        AuditFolder(tmp_path).prepare(resume=False)
    AuditFolder(tmp_path).prepare(resume=True)


def test_resuming_nothing_and_resuming_another_audit(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no audit to resume"):
        AuditFolder(tmp_path / "new").prepare(resume=True)
    folder = AuditFolder(tmp_path)
    folder.prepare(resume=False)
    folder.claim({"seed": 0, "prompts": {"sha256": "a" * 64}})
    folder.claim({"seed": 0, "prompts": {"sha256": "a" * 64}})
    with pytest.raises(BadInput, match="another seed"):
        folder.claim({"seed": 1, "prompts": {"sha256": "a" * 64}})
    with pytest.raises(BadInput, match="another prompts"):
        folder.claim({"seed": 0, "prompts": {"sha256": "b" * 64}})


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    folder = AuditFolder(tmp_path)
    folder.prepare(resume=False)
    folder.save("key", Kept(1.0, ()))
    (tmp_path / "checkpoints" / "key.json").write_text('{"number": 1')
    with pytest.raises(BadInput, match=r"key\.json is damaged"):
        folder.load("key", Kept)


def test_no_place_to_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="is a file"):
        AuditFolder(tmp_path / "file").prepare(resume=False)
    with pytest.raises(OutputError, match="cannot write"):
        AuditFolder(tmp_path / "file" / "below").prepare(resume=False)


@pytest.mark.parametrize("step", ["fdopen", "replace"])
def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    folder = AuditFolder(tmp_path)
    folder.prepare(resume=False)
    folder.save("key", Kept(1.0, ("old",)))

    def full(handle: object, *rest: object) -> object:
        if isinstance(handle, int):
            os.close(handle)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(whole_file.os, step, full)
    with pytest.raises(OutputError, match="No space left on device") as caught:
        folder.save("key", Kept(2.0, ("new",)))
    assert "\n" not in str(caught.value)
    monkeypatch.undo()
    assert folder.load("key", Kept) == Kept(1.0, ("old",))
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == ["key.json"]
