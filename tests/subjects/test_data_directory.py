"""A folder of the data directory is there whole or not at all, whatever stops its making."""

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors import SafetensorError

from backend.errors import OutputError, SubjectError
from backend.subjects.data_directory import (
    PARTIAL,
    RECORD,
    data_directory,
    found_here,
    install_folder,
    portable,
    sha256_of,
    verified_hashes,
)

HELLO = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"  # SHA-256 of "hello"


def build(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "a.txt").write_text("hello")
    (folder / "b.txt").write_text("there")


def install(
    destination: Path, build: Callable[[Path], None] = build, replace: bool = False, bytes_needed: int = 10
) -> list[str]:
    lines: list[str] = []
    install_folder(destination, build, bytes_needed=bytes_needed, replace=replace, progress=lines.append)
    return lines


def left_in(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()} - {".lock"}


def test_data_directory_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFUSALSCOPE_DATA", "/some/where")
    assert data_directory() == Path("/some/where")
    monkeypatch.delenv("REFUSALSCOPE_DATA")
    assert data_directory().name == "refusalscope"
    assert data_directory().is_absolute()


def test_installed_folder_is_recorded_and_verified(tmp_path: Path) -> None:
    install(tmp_path / "data" / "folder")
    assert verified_hashes(tmp_path / "data" / "folder", "fix it") == {
        "b.txt": sha256_of(tmp_path / "data" / "folder" / "b.txt"),
        "sub/a.txt": HELLO,
    }
    assert left_in(tmp_path / "data") == {"folder"}


def test_what_is_there_is_not_made_again_unless_asked(tmp_path: Path) -> None:
    install(tmp_path / "folder")

    def other(folder: Path) -> None:
        (folder / "new.txt").write_text("new")

    install(tmp_path / "folder", other)
    assert not (tmp_path / "folder" / "new.txt").exists()
    install(tmp_path / "folder", other, replace=True)
    assert left_in(tmp_path / "folder") == {"new.txt", RECORD}
    assert left_in(tmp_path) == {"folder"}


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("failure", [RuntimeError("a bug"), KeyboardInterrupt(), SubjectError("wrong")])
def test_failure_leaves_what_was_there(tmp_path: Path, failure: BaseException, replace: bool) -> None:
    if replace:
        install(tmp_path / "folder")

    def fail(folder: Path) -> None:
        build(folder)
        raise failure

    with pytest.raises(type(failure)):
        install(tmp_path / "folder", fail, replace=replace)
    assert left_in(tmp_path) == ({"folder"} if replace else set())
    if replace:
        assert verified_hashes(tmp_path / "folder", "")["sub/a.txt"] == HELLO


def test_kill_leaves_no_folder_and_the_next_run_sweeps(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from backend.subjects.data_directory import install_folder\n"
        "def build(folder):\n"
        "    (folder / 'half').write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "install_folder(Path(sys.argv[1]), build, bytes_needed=1, replace=False, progress=print)\n"
    )
    result = subprocess.run([sys.executable, "-c", program, str(tmp_path / "folder")], check=False)
    assert result.returncode == -signal.SIGKILL
    assert left_in(tmp_path) == {f"{PARTIAL}folder"}
    install(tmp_path / "folder")
    assert left_in(tmp_path) == {"folder"}
    assert left_in(tmp_path / "folder") == {"sub", "b.txt", RECORD}


def test_two_processes_make_it_once(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path\n"
        "from backend.subjects.data_directory import install_folder\n"
        "def build(folder):\n"
        "    with open(sys.argv[2], 'a') as log: log.write('x')\n"
        "    time.sleep(1); (folder / 'a').write_text('hello')\n"
        "install_folder(Path(sys.argv[1]), build, bytes_needed=1, replace=False, progress=lambda line: None)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "data" / "folder"), str(tmp_path / "log")]
    processes = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    assert (tmp_path / "log").read_text() == "x"
    assert verified_hashes(tmp_path / "data" / "folder", "")["a"] == HELLO


# -- a disk that refuses ---------------------------------------------------------------------------------------


def one_line(destination: Path, build: Callable[[Path], None] = build, **options: int) -> str:
    with pytest.raises(OutputError) as caught:
        install(destination, build, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_disk_full_while_writing(tmp_path: Path) -> None:
    def fill(folder: Path) -> None:
        build(folder)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    message = one_line(tmp_path / "folder", fill, bytes_needed=600)
    assert message.startswith(f"data directory {tmp_path}: No space left on device; free 0 MB or set REFUSALSCOPE_DATA")
    assert left_in(tmp_path) == set()


@pytest.mark.parametrize("error_type", [SafetensorError, Exception])
def test_disk_full_in_a_librarys_own_type(tmp_path: Path, error_type: type[Exception]) -> None:
    """safetensors and tokenizers report what the disk said in types that are no OSError."""

    def fill(folder: Path) -> None:
        raise error_type("Error while serializing: I/O error: No space left on device (os error 28)")

    assert "No space left on device" in one_line(tmp_path / "folder", fill)


def test_disk_too_small_is_told_before_the_work(tmp_path: Path) -> None:
    def never(folder: Path) -> None:
        raise AssertionError("built without room")

    assert "No space left on device; free 1000000000000 MB or set" in one_line(
        tmp_path / "f", never, bytes_needed=10**18
    )
    assert left_in(tmp_path) == set()


def test_rename_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", refuse)
    assert "No space left" in one_line(tmp_path / "folder")
    assert left_in(tmp_path) == set()


@pytest.mark.parametrize("below", ["", "deeper"])
def test_directory_that_is_a_file(tmp_path: Path, below: str) -> None:
    (tmp_path / "data").write_text("in the way")
    message = one_line(tmp_path / "data" / below / "folder" if below else tmp_path / "data" / "folder")
    assert message.startswith(f"data directory {tmp_path / 'data'}")
    assert message.endswith("set REFUSALSCOPE_DATA to a writable directory")


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_directory_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "Permission denied" in one_line(tmp_path / "data" / "folder")


# -- damage after the fact -------------------------------------------------------------------------------------


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    install(tmp_path / "folder")
    return tmp_path / "folder"


@pytest.mark.parametrize(
    ("content", "problem"),
    [(None, "missing"), ("hell", "4 bytes, expected 5"), ("hellO", "its content has changed since it was fetched")],
)
def test_damage_is_named_with_what_to_run(installed: Path, content: str | None, problem: str) -> None:
    path = installed / "sub" / "a.txt"
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(SubjectError) as caught:
        verified_hashes(installed, "refusalscope models fetch --force")
    assert str(caught.value) == f"{path}: {problem}; run: refusalscope models fetch --force"


@pytest.mark.parametrize("record", [None, "{", "[1]", '{"b.txt": 3}', json.dumps({"b.txt": {}})])
def test_damaged_record(installed: Path, record: str | None) -> None:
    (installed / RECORD).unlink() if record is None else (installed / RECORD).write_text(record)
    with pytest.raises(SubjectError, match=r"record\.json: cannot read .*; run: again") as caught:
        verified_hashes(installed, "again")
    assert "\n" not in str(caught.value)


def test_what_lies_in_the_data_directory_is_named_from_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFUSALSCOPE_DATA", str(tmp_path / "here"))
    named = portable(str(tmp_path / "here" / "subjects" / "saes" / "layer_06"))
    assert named == "data:subjects/saes/layer_06"
    monkeypatch.setenv("REFUSALSCOPE_DATA", str(tmp_path / "there"))
    assert found_here(named) == str(tmp_path / "there" / "subjects" / "saes" / "layer_06")


OTHERS = ["gemma-scope-2b-pt-res-canonical:layer_9/width_16k/canonical", "/elsewhere/saes", ""]


@pytest.mark.parametrize("source", OTHERS)
def test_other_sources_are_named_as_they_are(source: str) -> None:
    assert portable(source) == source == found_here(source)
