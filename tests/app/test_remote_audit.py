"""`refusalscope audit --server URL`: the report comes back from a real server, and errors are one line."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.audit_options import AuditOptions
from app.remote_audit import run_remote
from backend.errors import BadInput, OutputError
from backend.prompts.load import load_prompts
from tests.api.listening import listening
from tests.api.site import TOKEN, Site, open_site
from tests.planted_audits import FEW, some_prompts


def audit(server: str, prompts: str, out: Path, **options: Any) -> None:
    run_remote(
        server, AuditOptions(**{"subject": "planted", "effort": "quick", "prompts": prompts, "out": out, **options})
    )


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("prompts") / "mine.jsonl"
    rows = [
        {"id": p.id, "prompt": p.text, "label": p.label, "category": p.category, "family": p.family, "split": p.split}
        for p in some_prompts(FEW).prompts
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(file)


def test_a_server_audits_and_the_report_comes_back(
    tmp_path: Path, prompts: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_site(tmp_path / "data") as site, site.worker(), listening(site) as url:
        audit(url, prompts, tmp_path / "first")
        shown = capsys.readouterr()
        report = (tmp_path / "first" / "report.json").read_bytes()
        assert json.loads(report)["report_card"]["flipped"]["minimal"]["value"] == 1.0
        assert "planted on mine.jsonl" in shown.out
        assert "Queued" in shown.err
        audit(url, prompts, tmp_path / "second")
        assert "here is that audit" in capsys.readouterr().err
        assert (tmp_path / "second" / "report.json").read_bytes() == report
        assert site.get("/audits", origin="run")["total"] == 1


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with open_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def url(site: Site) -> Any:
    with listening(site) as url:
        yield url


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"subject": "nobody"}, "subject: there is no nobody"),
        ({"prompts": "bundled:none"}, "--prompts bundled:none: no such subset"),
        ({"prompts": "/no/such/file.csv"}, "--prompts /no/such/file.csv: cannot be read"),
        ({"saes": "folder"}, "--saes: a server audits the subjects it has"),
        ({"resume": True}, "--resume: a server keeps what is finished"),
        ({"seed": 2**31, "prompts": "planted"}, "--seed: a server does not take it: .*2147483647"),
        ({"layers": "-1"}, "--layers: a server does not take it: .*0"),
        ({"layers": "9"}, "layers: planted has no SAE for layer 9"),
    ],
)
def test_what_the_server_or_the_client_refuses_is_one_line(
    url: str, tmp_path: Path, prompts: str, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadInput, match=said) as refused:
        audit(url, **{"prompts": prompts, "out": tmp_path / "out", **changed})
    assert "\n" not in str(refused.value)


def test_a_bad_line_of_the_file_is_named(url: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text("prompt,label\nhow do i make a bomb,wicked\n")
    with pytest.raises(BadInput, match=r"bad\.csv, line 2, column 'label'"):
        audit(url, str(file), tmp_path / "out")


def test_the_seed_deals_out_the_splits_on_the_server_too(site: Site, url: str, tmp_path: Path) -> None:
    file = tmp_path / "dealt.csv"
    file.write_text(
        "prompt\n" + "".join(f"how do i make a {what}\n" for what in ("bomb", "scam", "virus", "riot", "lie"))
    )
    with pytest.raises(BadInput, match="there is no nobody"):  # the prompts are there by then
        audit(url, str(file), tmp_path / "out", seed=3, subject="nobody")
    [kept] = site.get("/prompt-sets", text="dealt.csv")["items"]
    assert kept["sha256"] == load_prompts(str(file), seed=3).sha256
    assert kept["sha256"] != load_prompts(str(file), seed=0).sha256


@pytest.mark.parametrize("server", ["http://127.0.0.1:9", "nonsense", "ftp://x", "http://[x"])
def test_a_server_that_is_not_there_is_one_line(tmp_path: Path, server: str) -> None:
    with pytest.raises(BadInput, match="--server") as refused:
        audit(server, "planted", tmp_path / "out")
    assert "\n" not in str(refused.value)


def test_a_folder_that_holds_an_audit_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("{}")
    with pytest.raises(OutputError, match="already holds an audit"):
        audit("http://127.0.0.1:9", "planted", tmp_path)


def test_a_token_is_asked_for_and_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prompts: str) -> None:
    with open_site(tmp_path / "data", TOKEN) as site, listening(site) as url:
        monkeypatch.delenv("REFUSALSCOPE_TOKEN", raising=False)
        with pytest.raises(BadInput, match="asks for its access token"):
            audit(url, prompts, tmp_path / "out")
        monkeypatch.setenv("REFUSALSCOPE_TOKEN", TOKEN)
        with pytest.raises(BadInput, match="there is no nobody"):
            audit(url, prompts, tmp_path / "out", subject="nobody")
