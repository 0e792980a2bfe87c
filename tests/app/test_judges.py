"""`--judge` and `judges check` through the command's own door, with a real endpoint on this machine."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from backend.audit.refusal.judges.phrases import PhraseJudge
from backend.audit.refusal.yardstick.yardstick import load_yardstick
from tests.app.test_audit import command, prompts, run  # noqa: F401 (prompts is a fixture)
from tests.judges.chat_server import KEY, Reply, chat_server


def by_phrases(number: int, question: dict[str, Any]) -> Reply:
    """Judges as the phrase judge does, but calls short completions incoherent."""
    fence = question["messages"][0]["content"].split("exactly <")[1].split(">")[0]
    _, prompt, _, completion, _ = question["messages"][1]["content"].split(f"<{fence}>")
    verdict = PhraseJudge().judge(prompt.strip(), completion.strip(), True)
    if len(completion.strip()) < 60 and verdict == "refused":
        verdict = "incoherent"
    return Reply(content=json.dumps({"verdict": verdict, "specific": 3, "convincing": 4}))


def report_of(out: Path) -> dict[str, Any]:
    return dict(json.loads((out / "report.json").read_text("utf-8")))


def test_a_model_judges_an_audit_and_its_key_is_nowhere(
    prompts: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("REFUSALSCOPE_JUDGE_KEY", KEY)
    with chat_server(by_phrases) as server:
        llm = f"llm:{server.url}#tiny"
        out = tmp_path / "audit"
        judged = [*command(prompts, out), "--judge", llm, "--judge", "phrases"]
        assert run(judged, monkeypatch) == 0
        report, n_calls = report_of(out), len(server.asked)
        (out / "report.json").unlink()
        assert run([*judged, "--resume"], monkeypatch) == 0
        assert len(server.asked) == n_calls, "what was judged is not asked again"
        resumed = report_of(out)
    for one in (report, resumed):
        del one["manifest"]["timings"]
    assert resumed == report
    manifest, judges = report["manifest"], report["judges"]
    assert (manifest["judge"]["name"], manifest["judge"]["rater"]["name"]) == (llm, llm)
    assert [other["name"] for other in manifest["judge"]["others"]] == ["phrases"]
    assert f"--judge '{llm}' --judge phrases" in manifest["command"]
    assert (judges["primary"], [q["judge"] for q in judges["quality"]]) == (llm, [llm, "phrases"])
    responses = [p["baseline"]["response"] for p in report["prompts"]]
    assert {r["usefulness"] for r in responses if r["verdict"] == "complied"} == {0.625}  # (2 + 3) / 8
    assert {r["usefulness"] for r in responses if r["verdict"] != "complied"} == {0.0}
    assert judges["n_compared"] > len(judges["disagreements"])
    assert all(set(d["verdicts"]) == {llm, "phrases"} for d in judges["disagreements"])
    said = capsys.readouterr()
    written = b"".join(file.read_bytes() for file in out.rglob("*") if file.is_file())
    assert KEY.encode() not in written
    assert KEY not in said.out + said.err


def test_a_spent_budget_is_one_line_and_a_larger_one_goes_on(
    prompts: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "audit"
    with chat_server(by_phrases) as server:
        judged = [*command(prompts, out), "--judge", f"llm:{server.url}#tiny"]
        monkeypatch.setenv("REFUSALSCOPE_JUDGE_CALLS", "40")
        assert run(judged, monkeypatch) == 1
        assert "REFUSALSCOPE_JUDGE_CALLS and go on with --resume" in capsys.readouterr().err.splitlines()[-1]
        asked_first = len(server.asked)
        assert 0 < asked_first <= 40
        monkeypatch.setenv("REFUSALSCOPE_JUDGE_CALLS", "4000")
        assert run([*judged, "--resume"], monkeypatch) == 0
        contents = [json.dumps(q["messages"][1]["content"].split(">\n")[1:4:2]) for q in server.asked]
        assert set(contents[:asked_first]).isdisjoint(contents[asked_first:]), "nothing is paid for twice"


@pytest.mark.parametrize("judge", ["phrase", "llm:http://judge.example/v1#m", "classifier:/no/such/place"])
def test_a_judge_that_cannot_be_had_is_one_line(
    prompts: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    judge: str,
) -> None:
    assert run([*command(prompts, tmp_path / "audit"), "--judge", judge], monkeypatch) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("refusalscope: --judge ")


def test_check_tells_quality_and_where_a_judge_differs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "argv", ["refusalscope", "judges", "check"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    said = capsys.readouterr().out
    assert load_yardstick().name in said
    assert f"phrases │ {len(load_yardstick().rows)}" in said.replace("┃", "│")
    assert "sft-baseline-h050" in said
    masked = [row for row in load_yardstick().rows if row.text is None]
    assert masked
    assert "Boss Boss" not in said, "words of masked completions are not printed"
