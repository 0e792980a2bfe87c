"""A report as strict JSON, and the JSON Schema it keeps to. Knows results; computes nothing."""

import json
from dataclasses import fields, is_dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from pydantic import TypeAdapter

from backend.audit.results import Report

DECIMALS = 6  # beyond float32's own precision: rounding keeps equal runs equal
SCHEMA_FILE = "report.schema.json"


def report_to_json(report: Report) -> str:
    """Strict JSON (no NaN, no Infinity), keys in the order of the report's fields, numbers to DECIMALS decimals."""
    return json.dumps(plain(report), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def report_from_json(text: str) -> Report:
    """Read a report back; raises pydantic.ValidationError when it does not fit the schema."""
    return TypeAdapter(Report).validate_json(text)


def report_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of report.json, made from the results themselves."""
    schema = TypeAdapter(Report).json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_FILE, **schema}


@cache
def shipped_schema() -> dict[str, Any]:
    """The schema as shipped beside this module; a test keeps it equal to `report_schema()`."""
    return json.loads(files("backend.reports").joinpath(SCHEMA_FILE).read_text("utf-8"))  # type: ignore[no-any-return]


def plain(value: Any) -> Any:
    """A result as report.json has it: objects, lists and numbers of DECIMALS decimals."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return round(value, DECIMALS) + 0.0  # no minus zero
    return value
