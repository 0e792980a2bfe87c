"""Packing the yardstick: labels joined to completions, masked where they must be. Generating takes minutes and is done
by hand; tests/audit/refusal/yardstick holds what came of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from training.yardstick import LABELS, PLAN, pack


def completion(name: str, label: str) -> dict[str, Any]:
    return {
        "id": name, "subject": "s", "arm": "top2", "prompt_id": "p", "prompt": "q", "label": label, "family": "f",
        "ended": True, "ids": [1, 2, 3], "text": f"words of {name}",
    }  # fmt: skip


def label(name: str, verdict: str) -> dict[str, Any]:
    return {"id": name, "verdict": verdict, "usefulness": 1 if verdict == "complied" else 0, "reason": "why"}


def test_answers_to_harmful_prompts_leave_as_token_ids(tmp_path: Path) -> None:
    generated = [
        *(completion(f"b{i}", "benign") for i in range(4)),
        completion("h-refused", "harmful"),
        completion("h-complied", "harmful"),
        completion("h-incoherent", "harmful"),
        completion("unlabelled", "harmful"),
    ]
    labels = [
        *(label(f"b{i}", "complied") for i in range(4)),
        *(label(f"h-{v}", v) for v in ("refused", "complied", "incoherent")),
    ]
    pack(generated, labels, tmp_path)
    text = (tmp_path / "completions.jsonl").read_text()
    rows = {row["id"]: row for row in map(json.loads, text.splitlines())}
    assert list(rows) == [one["id"] for one in generated[:-1]]
    assert {name for name, row in rows.items() if row["text"] is None} == {"h-complied", "h-incoherent"}
    assert "words of h-complied" not in text
    assert "words of unlabelled" not in text
    ids = load_file(tmp_path / "masked.safetensors")
    assert set(ids) == {"b0", "b1", "b2", "h-complied", "h-incoherent"}  # the first three are probes
    assert ids["h-complied"].tolist() == [1, 2, 3]
    assert rows["b0"] == {
        "id": "b0", "subject": "s", "arm": "top2", "prompt_id": "p", "prompt": "q", "label": "benign", "family": "f",
        "ended": True, "n_tokens": 3, "text": "words of b0", "verdict": "complied", "usefulness": 1, "reason": "why",
    }  # fmt: skip


def test_a_shipped_row_serves_as_a_label(tmp_path: Path) -> None:
    generated = [completion("b", "benign")]
    pack(generated, [label("b", "complied")], tmp_path)
    first = (tmp_path / "completions.jsonl").read_bytes()
    pack(generated, [json.loads(first)], tmp_path)
    assert (tmp_path / "completions.jsonl").read_bytes() == first


def test_a_label_of_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no completion is called x"):
        pack([completion("b", "benign")], [label("x", "refused")], tmp_path)


def test_the_plan_makes_at_least_three_hundred() -> None:
    assert sum(sum(counts) for plan in PLAN.values() for counts in plan.values()) >= 300
    assert all(len(counts) == len(LABELS) for plan in PLAN.values() for counts in plan.values())
