"""`refusalscope models`: what is printed and how it ends, on the real bundled subject and on tiny ones of one's own."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.models import models, parse_layers
from backend.errors import BadInput, InUse, SubjectError
from backend.subjects.bundled.fetch import FetchedFiles
from backend.subjects.catalogue import BUNDLED_SUBJECTS, PLANTED_SUBJECTS
from tests.api.site import Site, open_site
from tests.jobs.service import wait_until
from tests.subjects.sae_samples import save_sae
from tests.subjects.tiny_models import save_model


def run(*arguments: str) -> tuple[int, str, BaseException | None]:
    result = CliRunner(env={"COLUMNS": "200"}).invoke(models, list(arguments))
    return result.exit_code, result.output, result.exception


def test_list_before_fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFUSALSCOPE_DATA", str(tmp_path))
    code, output, _ = run("list")
    assert code == 0
    assert all(name in output for name in (*BUNDLED_SUBJECTS, *PLANTED_SUBJECTS))
    assert "not ready" in output
    assert "run: refusalscope models fetch" in output


def test_list_and_fetch_afterwards(bundled_files: FetchedFiles) -> None:
    assert "not ready" not in run("list")[1]
    code, output, _ = run("fetch")
    assert code == 0
    assert output.startswith(f"ready in {bundled_files.base.parent}: smollm2-135m-base,")


def test_fetch_that_cannot_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").write_text("in the way")
    monkeypatch.setenv("REFUSALSCOPE_DATA", str(tmp_path / "data"))
    error = run("fetch")[2]
    assert str(error).endswith("set REFUSALSCOPE_DATA to a writable directory")


@pytest.fixture
def texts(tmp_path: Path) -> str:
    rows = ("benign", "How do I bake bread?"), ("harmful", "How do I pick a lock?"), ("benign", "Name three colours.")
    (tmp_path / "texts.jsonl").write_text(
        "".join(json.dumps({"prompt": text, "label": label}) + "\n" for label, text in rows)
    )
    return str(tmp_path / "texts.jsonl")


@pytest.mark.usefixtures("sae_lens_imported", "bundled_files")
def test_check(texts: str) -> None:
    code, output, error = run("check", "smollm2-135m-sft", "--layers", "9,21", "--prompts", texts, "--device", "cpu")
    assert (code, error) == (0, None), output
    assert "smollm2-135m-sft: SAEs on 3 chats" in output  # none borrowed
    assert all(word in output for word in ("FVU", "L0", "mean norm", "expected norm", "sink", "post_instruction"))
    assert "fit for an audit" in output


def test_check_of_an_unfit_subject_exits_1(texts: str) -> None:
    """The planted SAEs know the planted features and leave the rest of the residual alone."""
    code, output, _ = run("check", "planted", "--prompts", texts, "--device", "cpu")
    assert code == 1
    assert "of the variance unexplained" in output


def test_check_of_an_unknown_subject() -> None:
    assert isinstance(run("check", "smollm2")[2], SubjectError)


def test_layers_are_numbers() -> None:
    assert parse_layers("9, 12,15") == [9, 12, 15]
    assert parse_layers(None) is None
    with pytest.raises(BadInput, match="--layers 9;12: give numbers with commas"):
        parse_layers("9;12")


# -- add, remove -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model and, beside it, SAEs of its layers 1 and 2."""
    folder = tmp_path_factory.mktemp("own")
    save_model(folder / "model", "llama")
    for layer in (1, 2):
        save_sae(folder / "saes" / f"layer_{layer}", d_in=32, d_sae=64, layer=layer, seed=layer)
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Of all these tests: whoever adds a subject removes it."""
    with open_site(tmp_path_factory.mktemp("site")) as site:
        yield site


def add(site: Site, own: Path, name: str = "mine", **changed: str) -> tuple[int, str, BaseException | None]:
    options = {"subject": str(own / "model"), "saes": str(own / "saes"), "data": str(site.settings.data), **changed}
    return run("add", name, *(word for option, value in options.items() for word in (f"--{option}", value)))


def remove(site: Site, name: str) -> tuple[int, str, BaseException | None]:
    return run("remove", name, "--data", str(site.settings.data))


@pytest.mark.usefixtures("sae_lens_imported")
def test_an_added_subject_is_audited_by_the_service_until_it_is_removed(
    site: Site, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(own)  # a worker elsewhere must find them all the same
    code, output, error = add(site, own, subject="model", saes="saes", layers="2")
    assert (code, error) == (0, None), output
    assert output == f"added mine: {own}/model with SAEs of {own}/saes, layers 2\n"
    subject = site.get("/subjects/mine")
    assert (subject["kind"], subject["ready"], subject["layers"]) == ("added", True, [2])
    assert site.get("/subjects", kind="added")["total"] == 1

    monkeypatch.chdir(site.settings.data)
    with site.worker():
        audit = site.post("/audits", {"spec": {"subject": "mine", "prompt_set": "few", "effort": "quick"}})["audit"]
        ended = site.ended(audit["id"])
        assert ended["state"] == "done", ended["error"]
        manifest = site.get(f"/audits/{audit['id']}")["manifest"]
        assert (manifest["subject"]["id"], manifest["saes"]["layers"]) == ("mine", [2])
        assert f"--subject {own}/model" in manifest["command"]
        wait_until(lambda: site.get("/ready")["workers"][0]["subject"] == "mine")

    assert isinstance(remove(site, "mine")[2], InUse)
    assert "audits name it ('mine on planted')" in str(remove(site, "mine")[2])
    site.client.delete(f"/api/audits/{audit['id']}")
    assert remove(site, "mine")[:2] == (0, "removed mine\n")
    assert site.client.get("/api/subjects/mine").status_code == 404
    assert (own / "model" / "config.json").is_file()


@pytest.mark.usefixtures("sae_lens_imported")
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"subject": "/no/such/model"}, "--subject /no/such/model: no such subject"),
        ({"saes": "/no/such/saes"}, "--saes /no/such/saes: no such directory"),
        ({"layers": "1,3"}, "--layers: no SAE for layer 3"),
        ({"layers": "1;2"}, "--layers 1;2: give numbers with commas"),
        ({"saes": "{narrow}"}, "it reads 12 numbers, the subject's residual has 32"),
        ({"name": "Mine"}, "ID Mine: use a-z, 0-9 and dashes"),
        ({"name": "my/model"}, "ID my/model: use a-z"),
        ({"name": "m" * 41}, "at most 40"),
        ({"name": "planted"}, "ID planted: it comes with Refusalscope"),
        ({"name": "smollm2-135m-sft"}, "ID smollm2-135m-sft: it comes with Refusalscope"),
    ],
)
def test_what_cannot_be_added_is_one_line_and_no_subject(
    site: Site, own: Path, tmp_path: Path, changed: dict[str, str], said: str
) -> None:
    narrow = save_sae(tmp_path / "narrow" / "layer_1", d_in=12, layer=1).parent
    given = {name: value.format(narrow=narrow) for name, value in changed.items()}
    error = add(site, own, **given)[2]
    assert isinstance(error, BadInput)
    assert said in str(error)
    assert "\n" not in str(error)
    assert site.get("/subjects", kind="added")["total"] == 0


@pytest.mark.usefixtures("sae_lens_imported")
def test_an_id_is_one_subjects(site: Site, own: Path, tmp_path: Path) -> None:
    assert add(site, own)[0] == 0
    assert add(site, own)[0] == 0, "the same again is the same"
    other = save_model(tmp_path / "other", "llama", seed=7)
    for changed in ({"subject": str(other)}, {"layers": "1"}):
        error = add(site, own, **changed)[2]
        assert isinstance(error, BadInput)
        assert f"ID mine: it is {own}/model with SAEs of {own}/saes, layers 1, 2; choose another" in str(error)
    assert site.get("/subjects/mine")["layers"] == [1, 2]
    assert remove(site, "mine")[0] == 0


@pytest.mark.parametrize("name", ["smollm2-135m-sft", "planted", "nobody"])
def test_only_what_was_added_is_removed(site: Site, name: str) -> None:
    before = site.get("/subjects")["total"]
    error = remove(site, name)[2]
    assert isinstance(error, BadInput)
    assert str(error) == f"ID {name}: not a subject that was added; there are: none"
    assert site.get("/subjects")["total"] == before


@pytest.mark.usefixtures("sae_lens_imported")
def test_one_added_before_the_first_start_takes_nothing_from_it(own: Path, tmp_path: Path) -> None:
    code, output, _ = run(
        *("add", "mine", "--subject", str(own / "model"), "--saes", str(own / "saes"), "--data", str(tmp_path))
    )
    assert code == 0, output
    with open_site(tmp_path) as site:
        assert site.get("/subjects", kind="added")["total"] == 1
        assert site.get("/audits", origin="example")["total"] == 1
