"""Settings: the option before the environment before the default; nothing unsafe is served."""

import os
from pathlib import Path
from typing import Any

import pytest

from app.settings import LOOPBACK, Settings, read_settings
from backend.errors import BadInput, OutputError

TOKEN = "x" * 24


def settings(data: Path, environment: dict[str, str] | None = None, **options: Any) -> Settings:
    return read_settings(environment or {}, data=data, **options)


def test_defaults_serve_this_machine_alone(tmp_path: Path) -> None:
    found = settings(tmp_path)
    assert (found.host, found.port, found.database, found.token) == ("127.0.0.1", 8050, None, None)
    assert found.hosts == LOOPBACK
    assert found.worker


def test_options_win_over_the_environment(tmp_path: Path) -> None:
    environment = {
        "REFUSALSCOPE_HOST": "0.0.0.0",
        "REFUSALSCOPE_PORT": "81",
        "REFUSALSCOPE_DATABASE": "postgresql://db/x",
        "REFUSALSCOPE_HOSTS": "Audits.Example.org, b",
        "REFUSALSCOPE_DEVICE": "cpu",
        "REFUSALSCOPE_TOKEN": TOKEN,
    }
    found = settings(tmp_path, environment)
    assert (found.host, found.port, found.database, found.device) == ("0.0.0.0", 81, "postgresql://db/x", "cpu")
    assert found.hosts == LOOPBACK | {"audits.example.org", "b"}
    found = settings(tmp_path, environment, host="::1", port=82, database="sqlite:///x", device="cuda", hosts="c")
    assert (found.host, found.port, found.database, found.device) == ("::1", 82, "sqlite:///x", "cuda")
    assert found.hosts == LOOPBACK | {"c"}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "audits.example.org", "127.0.0.1.example.org"])
def test_binding_elsewhere_needs_a_token(tmp_path: Path, host: str) -> None:
    with pytest.raises(BadInput, match=r"--host .*: others could reach the service.*REFUSALSCOPE_TOKEN"):
        settings(tmp_path, host=host)
    assert settings(tmp_path, {"REFUSALSCOPE_TOKEN": TOKEN}, host=host).token == TOKEN


def test_the_address_bound_is_a_name_of_the_server(tmp_path: Path) -> None:
    environment = {"REFUSALSCOPE_TOKEN": TOKEN}
    assert settings(tmp_path, environment, host="10.0.0.7").hosts == LOOPBACK | {"10.0.0.7"}
    assert settings(tmp_path, environment, host="0.0.0.0").hosts == LOOPBACK


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost"])
def test_this_machine_needs_none(tmp_path: Path, host: str) -> None:
    assert settings(tmp_path, host=host).token is None


@pytest.mark.parametrize("token", ["short", "x" * 15, "with\nline breaks and more", "ünüsual but long enough"])
def test_a_token_that_can_be_guessed_or_not_be_sent_is_refused(tmp_path: Path, token: str) -> None:
    with pytest.raises(BadInput, match="REFUSALSCOPE_TOKEN: give at least 16 plain characters") as refused:
        settings(tmp_path, {"REFUSALSCOPE_TOKEN": token})
    assert token not in str(refused.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"port": 70000}, "--port 70000"),
        ({"port": -1}, "--port -1"),
        ({"device": "tpu"}, "--device tpu: choose auto, cpu or cuda"),
        ({"hosts": "*.example.org"}, r"--hosts \*\.example\.org"),
        ({"hosts": "http://x"}, "--hosts http://x"),
    ],
)
def test_nonsense_is_one_line(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        settings(tmp_path, **options)


def test_a_secret_is_made_once_and_kept_private(tmp_path: Path) -> None:
    first, second = settings(tmp_path), settings(tmp_path)
    assert first.secret == second.secret
    assert len(first.secret) == 32
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["secret"]
    assert settings(tmp_path / "other").secret != first.secret


def test_secrets_are_not_printed(tmp_path: Path) -> None:
    found = settings(tmp_path, {"REFUSALSCOPE_TOKEN": TOKEN})
    assert TOKEN not in repr(found)
    assert str(found.secret) not in repr(found)


def test_a_damaged_secret_is_told(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"short")
    with pytest.raises(OutputError, match="is damaged; delete it"):
        settings(tmp_path)


def test_a_data_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="--data"):
        settings(tmp_path / "file" / "data")


def test_the_data_folder_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFUSALSCOPE_DATA", str(tmp_path / "there"))
    assert read_settings(os.environ).data == (tmp_path / "there").resolve()
