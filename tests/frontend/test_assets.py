"""What the browser loads of ours asks nobody else, and has every function that Python names."""

import re
from pathlib import Path

import frontend

ROOT = Path(frontend.__file__).parent
ASSETS = ROOT / "assets"


def test_no_asset_names_another_server():
    for file in ASSETS.iterdir():
        addresses = set(re.findall(r"(?:https?:)?//[\w.]+\.\w+[^\s'\")]*", file.read_text()))
        assert {address for address in addresses if "www.w3.org/2000/svg" not in address} == set(), file.name


def test_every_clientside_callback_is_there():
    named = {
        name for file in ROOT.rglob("*.py") for name in re.findall(r"\.clientside\(\s*\"(\w+)\"", file.read_text())
    }
    script = (ASSETS / "refusalscope.js").read_text()
    assert named
    assert {name for name in named if f"    {name}: function" not in script} == set()


def test_no_page_writes_markup_or_scripts_of_its_own():
    for file in ROOT.rglob("*.py"):
        text = file.read_text()
        assert not re.search(r"dangerously_allow_(html|code)=True|dcc\.Markdown|clientside_callback\(\s*\"", text), file
