"""Environment and options -> one frozen value that the service runs on. Refuses what would be unsafe to serve.

Every setting has an option of `refusalscope serve` and an environment variable; the option wins.
"""

import ipaddress
import os
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast, get_args

from backend.errors import BadInput, OutputError
from backend.subjects.data_directory import data_directory

Device = Literal["auto", "cpu", "cuda"]
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
MIN_TOKEN = 16  # characters of an access token: anything shorter can be guessed
SECRET, SECRET_BYTES = "secret", 32


@dataclass(frozen=True)
class Settings:
    """How to serve: all values checked."""

    data: Path  # database, artifacts and the signing secret; subjects lie there as well
    database: str | None = None  # URL; None: SQLite in the data folder
    host: str = "127.0.0.1"
    port: int = 8050
    hosts: frozenset[str] = LOOPBACK  # names that a request's Host header may carry
    token: str | None = field(default=None, repr=False)  # None: only this machine is served, and nobody asks
    device: Device = "auto"
    worker: bool = True  # also run a worker
    secret: bytes = field(default=b"", repr=False)  # signs links and sessions


def read_settings(
    environment: Mapping[str, str] = os.environ,
    *,
    host: str | None = None,
    port: int | None = None,
    data: Path | None = None,
    database: str | None = None,
    hosts: str | None = None,
    device: str | None = None,
    worker: bool = True,
) -> Settings:
    """Settings from options, else the environment, else their defaults; makes the data folder and its secret.

    The access token comes from the environment alone: other users of a machine can read a process's options.
    Raises BadInput or OutputError, one line naming the option or variable.
    """
    where = (host or environment.get("REFUSALSCOPE_HOST") or "127.0.0.1").strip("[] ")
    token = environment.get("REFUSALSCOPE_TOKEN") or None
    if token is not None and (len(token) < MIN_TOKEN or not token.isascii() or not token.isprintable()):
        raise BadInput(f"REFUSALSCOPE_TOKEN: give at least {MIN_TOKEN} plain characters, e.g. openssl rand -hex 24")
    if not _loopback(where) and token is None:
        raise BadInput(
            f"--host {where}: others could reach the service, so it needs an access token; set REFUSALSCOPE_TOKEN "
            f"to at least {MIN_TOKEN} characters, or bind to 127.0.0.1"
        )
    folder = _folder(data or data_directory())
    return Settings(
        data=folder,
        database=database or environment.get("REFUSALSCOPE_DATABASE") or None,
        host=where,
        port=_port(port if port is not None else environment.get("REFUSALSCOPE_PORT", "8050")),
        hosts=LOOPBACK | _names(hosts or environment.get("REFUSALSCOPE_HOSTS", "")) | _own_name(where),
        token=token,
        device=_device(device or environment.get("REFUSALSCOPE_DEVICE") or "auto"),
        worker=worker,
        secret=_secret(folder / SECRET),
    )


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _own_name(host: str) -> frozenset[str]:
    """An address to bind is a name to be called by, unless it stands for all of them."""
    return frozenset() if host in ("0.0.0.0", "::", "") else frozenset({host.lower()})


def _names(text: str) -> frozenset[str]:
    names = {name.strip().lower() for name in text.split(",") if name.strip()}
    for name in names:
        if "*" in name or "/" in name or " " in name:
            raise BadInput(f"--hosts {name}: give names as they stand in the address bar, without scheme, port or *")
    return frozenset(names)


def _port(port: int | str) -> int:
    if not str(port).isdigit() or int(port) > 65535:
        raise BadInput(f"--port {port}: give a number up to 65535; 0 takes a free one")
    return int(port)


def _device(device: str) -> Device:
    if device not in get_args(Device):
        raise BadInput(f"--device {device}: choose auto, cpu or cuda")
    return cast(Device, device)


def _folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return folder.resolve()
    except OSError as error:
        raise OutputError(f"--data {folder}: cannot be made ({error.strerror}); name a folder you may write") from error


def _secret(place: Path) -> bytes:
    """The signing secret of this data folder: made once, whole or not there, readable by its owner alone."""
    try:
        if not place.exists():
            handle, made = tempfile.mkstemp(dir=place.parent, prefix=".secret-")  # mode 0600
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(SECRET_BYTES))
            with suppress(FileExistsError):  # another process was first: its secret counts
                os.link(made, place)
            os.unlink(made)
        secret = place.read_bytes()
    except OSError as error:
        raise OutputError(f"--data: cannot use {place} ({error.strerror}); name a folder you may write") from error
    if len(secret) != SECRET_BYTES:
        raise OutputError(f"--data: {place} is damaged; delete it (shared links and sessions end) and start again")
    return secret
