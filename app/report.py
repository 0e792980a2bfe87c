"""`refusalscope report`: a finished audit as a file to give to others. Wiring only."""

from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from app.settings import read_settings
from backend.audit.results import Report
from backend.errors import BadInput
from backend.reports.csv import features_csv, prompts_csv
from backend.reports.report_json import report_from_json, report_to_json
from backend.reports.whole_file import write_whole

REPORT = "report.json"
Format = Literal["html", "json", "prompts.csv", "features.csv"]


def run(*, audit: str, output: Path, format: Format, data: Path | None, database: str | None) -> None:
    """Write `output` whole or not at all. Raises BadInput or OutputError, one line."""
    report = read_audit(audit, data, database)
    write_whole(output, _written(report, format).encode("utf-8"), "--output")
    print(output)


def _written(report: Report, format: Format) -> str:
    if format == "json":
        return report_to_json(report)
    if format == "prompts.csv":
        return prompts_csv(report.prompts)
    if format == "features.csv":
        return features_csv(report.features)
    from app.export import report_html  # draws with the dashboard's figures

    return report_html(report)


def read_audit(audit: str, data: Path | None, database: str | None) -> Report:
    """The report of a folder, a report.json or an audit's id; a folder or file of that name comes before an audit of
    the database with that id. Raises BadInput, one line."""
    place = Path(audit)
    if place.is_dir():
        place = place / REPORT
        if not place.is_file():
            raise BadInput(f"AUDIT {audit}: the folder has no {REPORT}; finish that audit with --resume first")
    try:
        content = place.read_bytes() if place.is_file() else _stored(audit, data, database)
        return report_from_json(content.decode("utf-8"))
    except OSError as error:
        raise BadInput(f"AUDIT {audit}: cannot be read ({error.strerror})") from error
    except (ValidationError, UnicodeDecodeError) as error:
        raise BadInput(f"AUDIT {audit}: {place.name} is not a report of this version of Refusalscope") from error


def _stored(audit: str, data: Path | None, url: str | None) -> bytes:
    from backend.store import audits  # a report in a file is read without a database
    from backend.store.database import Database

    settings = read_settings(data=data, database=url)
    database = Database.open(settings.database, settings.data)
    try:
        with database.reading() as session:
            row = audits.get(session, audit)
        if row is None:
            raise BadInput(f"AUDIT {audit}: neither a folder, a {REPORT} nor the id of an audit in {settings.data}")
        if row.report_sha256 is None:
            raise BadInput(f"AUDIT {audit}: it is {row.state}; a report is there once it is done")
        with database.artifacts.open(row.report_sha256) as file:
            return file.read()
    finally:
        database.close()
