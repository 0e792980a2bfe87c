"""Every icon that may be named is drawn."""

import re
from pathlib import Path

import pytest

import frontend
from frontend.components.icon import ICONS, icon

CSS = Path(frontend.__file__).parent / "assets" / "icons.css"


def test_names_and_drawings_agree():
    assert set(re.findall(r"^\.icon-(\w+)", CSS.read_text(), re.MULTILINE)) == ICONS


def test_an_unknown_icon_is_an_error():
    with pytest.raises(ValueError, match="'rocket' is none of"):
        icon("rocket")
