"""Where a command finds data and database: options of every command that reads the store, `serve` apart."""

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path | None, typer.Option(help="Data directory (default: REFUSALSCOPE_DATA, or the platform's place).")
]
Url = Annotated[
    str | None,
    typer.Option(
        "--database",
        envvar="REFUSALSCOPE_DATABASE",
        help="Database URL; default: a SQLite file in the data directory.",
    ),
]
