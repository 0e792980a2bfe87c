"""Bad input: each ends in one line that names the file, the line, the column and the fix."""

import json
import os

import pytest

from backend.errors import PromptFileError
from backend.prompts.checks import MAX_ERRORS
from backend.prompts.load import load_prompts

GOOD = json.dumps({"prompt": "Rob a van", "label": "harmful"}) + "\n"


def complaint(load, name, content):
    with pytest.raises(PromptFileError) as caught:
        load(name, content)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert name in message
    assert caught.value.exit_code == 2
    return caught.value


JSONL = [
    # content, line, column, words of the problem
    (b"", None, None, "empty"),
    (b"\xef\xbb\xbf \n\n", None, None, "empty"),
    ("\u00a0\n", None, None, "no prompts"),
    ("{}\n", 1, "prompt", "has no prompt"),
    (GOOD + "\n" + '{"prompt": "x"\n', 3, None, "not valid JSON"),
    (GOOD + '["x"]\n', 2, None, "found list"),
    (GOOD + "null\n", 2, None, "found NoneType"),
    (GOOD + '{"prompt": "a", "prompt": "b"}\n', 2, None, "'prompt' appears twice"),
    (GOOD + '{"prompt": "a", "\\ud800": 1}\n', 2, None, "not plain text"),
    (GOOD + '{"prompt": "a", "text": "b"}\n', 2, "text", "not both"),
    (GOOD + "[" * 100_000 + "\n", 2, None, "JSON"),
    (GOOD + '{"prompt": ' + "9" * 5_000 + "}\n", 2, None, "JSON"),
    (GOOD + '{"prompt": 3, "label": "harmful"}\n', 2, "prompt", "expected text, found int"),
    (GOOD + '{"prompt": ["a"], "label": "harmful"}\n', 2, "prompt", "expected text, found list"),
    (GOOD + '{"text": "", "label": "harmful"}\n', 2, "text", "empty"),
    (GOOD + '{"prompt": null, "label": "harmful"}\n', 2, "prompt", "empty"),
    (GOOD + '{"prompt": " \\n", "label": "harmful"}\n', 2, "prompt", "empty"),
    (
        GOOD + json.dumps({"prompt": "x" * 8_001, "label": "harmful"}),
        2,
        "prompt",
        "8,001 characters; the limit is 8,000",
    ),
    (GOOD + json.dumps({"prompt": "x" * 100_000, "label": "harmful"}), 2, "prompt", "the limit is 8,000"),
    (GOOD + '{"prompt": "a\\u0000b", "label": "harmful"}\n', 2, "prompt", "U+0000 at character 2"),
    (GOOD + '{"prompt": "a\\u001b[2J", "label": "harmful"}\n', 2, "prompt", "U+001B at character 2"),
    (
        GOOD + '{"prompt": "ab\\u000b", "label": "harmful"}\n',
        2,
        "prompt",
        "U+000B at character 3",
    ),  # not white space to be stripped
    (GOOD + '{"prompt": "a\\u0085b", "label": "harmful"}\n', 2, "prompt", "U+0085"),
    (GOOD + '{"prompt": "a\\rb", "label": "harmful"}\n', 2, "prompt", "U+000D"),
    (GOOD + '{"prompt": "a\\ud800", "label": "harmful"}\n', 2, "prompt", "U+D800"),
    (GOOD + '{"prompt": "a", "label": "evil"}\n', 2, "label", "unknown label 'evil'; use one of harmful, benign"),
    (GOOD + '{"prompt": "a", "label": 1}\n', 2, "label", "expected text, found int"),
    (GOOD + '{"prompt": "a"}\n', 2, "label", "no label, though other rows have one"),
    (GOOD + '{"prompt": "a", "label": "harmful", "split": "train"}\n', 2, "split", "use one of discovery, validation"),
    (GOOD + '{"prompt": "a", "label": "harmful", "category": 7}\n', 2, "category", "expected text"),
    (GOOD + '{"prompt": "a", "label": "harmful", "family": "x\\ty"}\n', 2, "family", "U+0009"),
    (GOOD + '{"prompt": "a", "label": "harmful", "id": true}\n', 2, "id", "expected text, found bool"),
    (GOOD + json.dumps({"prompt": "a", "label": "harmful", "id": "i" * 201}), 2, "id", "the limit is 200"),
    (GOOD + '{"prompt": "a", "lable": "benign"}\n', 2, "lable", "did you mean 'label'?"),
    (GOOD + '{"prompt": "a", "label": "harmful", "matches": "x"}\n', 2, "matches", "only a look_alike"),
    (GOOD + '{"prompt": "a", "label": "look_alike", "matches": "x"}\n', 2, "matches", "no prompt has the id 'x'"),
    (GOOD + '{"prompt": "a", "label": "look_alike", "id": "x", "matches": "x"}\n', 2, "matches", "is look_alike"),
    ('{"prompt": "a", "label": "benign"}\n', None, "label", "no harmful prompt"),
    (
        '{"prompt": "a", "id": "x"}\n{"prompt": "b", "id": "y"}\n{"prompt": "c", "id": "x"}\n',
        3,
        "id",
        "'x' is already used on line 1",
    ),
    (GOOD + '{"prompt": "a", "label": "benign", "id": "line1"}\n', 2, "id", "already used on line 1"),
    (GOOD + '{"prompt": "Rob a van", "label": "benign"}\n', 2, "label", "line 1 again, with label benign"),
    (
        '{"prompt": "Rob a van", "split": "test"}\n\n{"prompt": "rob vans", "split": "discovery"}\n',
        3,
        "split",
        "line 1 are near-duplicates or linked, in splits test and discovery",
    ),
    (
        '{"prompt": "a", "family": "f", "split": "test"}\n{"prompt": "b", "family": "f", "split": "discovery"}\n',
        2,
        "split",
        "family 'f' is in split test on line 1 but in discovery here",
    ),
]


@pytest.mark.parametrize(("content", "line", "column", "words"), JSONL)
def test_bad_jsonl(load, content, line, column, words):
    error = complaint(load, "bad.jsonl", content)
    assert (error.line, error.column) == (line, column)
    assert words in str(error)


CSV = [
    ("goal,target\n", None, None, "no prompts"),
    ("\n\nquestion,answer\na,b\n", 3, None, "known headers: goal (AdvBench)"),
    ("prompt;label\na;harmful\n", 1, None, "commas, not ';'"),
    ("prompt\tlabel\na\tharmful\n", 1, None, "commas, not '\\t'"),
    ("Behavior\na\n", 1, None, "no prompt column"),
    ("prompt,label,Label\na,harmful,benign\n", 1, "label", "appears twice"),
    ('prompt,"a\nb"\na,b\n', 1, None, "'a\\nb' is not plain text"),
    ("prompt,labels\na,harmful\n", 2, "labels", "did you mean 'label'?"),
    ("prompt,label\na,harmful\nKill, then hide,harmful\n", 3, None, "3 cells under a header of 2; put quotes"),
    ("prompt,label\na,harmful\nb\n", 3, None, "1 cells under a header of 2"),
    ('prompt,label\n"a\nb",harmful\n"c\nd",evil\n', 4, "label", "unknown label 'evil'"),
    ('Goal,Category\na,x\n\n"  ",x\n', 4, "Goal", "empty"),
    ("category,forbidden_prompt\nx,a\ny,\n", 3, "forbidden_prompt", "empty"),
    ("goal\n" + "x" * 100_000 + "\n", 2, "goal", "100,000 characters; the limit is 8,000"),
    ("goal\n" + "x" * 200_000 + "\n", 2, None, "a cell far too long"),
    ('goal\na\n"b\nc\n', 3, None, "quote left open"),
    ('goal\n"b"c\n', 2, None, "not valid CSV"),
    ("goal\na\x07b\n", 2, "goal", "U+0007 at character 2"),
    ("id,prompt,type\n1,a,homonyms\n2,b,\n", 3, "label", "no label"),
    ("id,prompt,type\n1,a,homonyms\n", None, "label", "no harmful prompt"),
    ("Behavior,SemanticCategory,BehaviorID\na,x,i\nb,x,i\n", 3, "BehaviorID", "'i' is already used on line 2"),
]


@pytest.mark.parametrize(("content", "line", "column", "words"), CSV)
def test_bad_csv(load, content, line, column, words):
    error = complaint(load, "bad.csv", content)
    assert (error.line, error.column) == (line, column)
    assert words in str(error)


@pytest.mark.parametrize("name", ["bad.jsonl", "bad.csv"])
@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ("goal\nRob a van\n".encode("utf-16"), 1, "UTF-16 text; save it as UTF-8"),
        ("goal\nRob a van\n".encode("utf-32"), 1, "UTF-32"),
        ("goal\nRob a van\n".encode("utf-16-le"), 1, "NUL byte"),
        (b"goal\nRob a van\n\x00", 3, "NUL byte"),
        (b"PK\x03\x04\xff\xfe\x80\x00", 1, "NUL byte"),
        ("goal\nRob a caf\u00e9\n".encode("latin-1"), 2, "byte 0xe9 is not UTF-8"),
    ],
)
def test_not_utf8_text(load, name, content, line, words):
    error = complaint(load, name, content)
    assert error.line == line
    assert words in str(error)


def places(error):
    return [(one.line, one.column) for one in (error, *error.others)]


def test_all_bad_rows_are_told_by_line(load):
    rows = ['{"prompt": "a", "label": "evil"}', "{", GOOD.strip(), '["x"]', '{"prompt": "b", "lable": "benign"}']
    error = complaint(load, "bad.jsonl", "\n".join(rows))
    assert places(error) == [(1, "label"), (2, None), (4, None), (5, "lable")]
    assert str(error).endswith("(and 3 more)")


def test_rows_before_an_open_quote_are_told_too(load):
    error = complaint(load, "bad.csv", 'prompt,label\na,evil\nb\n"c,harmful\nd,harmful\n')
    assert places(error) == [(2, "label"), (3, None), (4, None)]
    assert "quote left open" in str(error.others[-1])


def test_so_many_bad_rows_are_enough(load):
    error = complaint(load, "bad.csv", "prompt,label\n" + "a,evil\n" * 1_000)
    assert len(places(error)) == MAX_ERRORS


def test_rows_that_only_contradict_each_other_are_told_once_all_are_sound(load):
    twice = '{"prompt": "a", "id": "x"}\n{"prompt": "b", "id": "x"}\n'
    assert places(complaint(load, "bad.jsonl", twice + "{\n")) == [(3, None)]
    assert places(complaint(load, "bad.jsonl", twice)) == [(2, "id")]


def test_too_large_a_file_is_not_read(load, tmp_path):
    path = tmp_path / "big.jsonl"
    with path.open("wb") as file:
        file.truncate(50_000_001)  # sparse: costs no disk
    with pytest.raises(PromptFileError, match="larger than 50 MB"):
        load_prompts(str(path))


def test_too_many_rows(load):
    error = complaint(load, "big.csv", "goal\n" + "".join(f"steal number{i}\n" for i in range(20_001)))
    assert error.line == 20_002
    assert "more than 20,000 prompts" in str(error)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("missing.csv", "no such file"),
        ("prompts.txt", "as .jsonl or .csv files"),
        ("", "as .jsonl or .csv files"),
        ("bundled:demos", "no bundled subset is called 'demos'; use one of demo, standard, test, all"),
        ("a\0b.csv", "no such file"),
        ("a" * 5_000 + ".csv", "cannot be read: File name too long"),
    ],
)
def test_sources_that_are_no_prompt_file(source, words):
    with pytest.raises(PromptFileError) as caught:
        load_prompts(source)
    assert words in str(caught.value)


def test_a_folder_is_no_prompt_file(tmp_path):
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    with pytest.raises(PromptFileError, match="not a regular file"):
        load_prompts(str(folder))


def test_a_file_that_may_not_be_read(tmp_path):
    locked = tmp_path / "locked.csv"
    locked.write_text("goal\nRob a van\n")
    locked.chmod(0)
    if os.access(locked, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(PromptFileError, match="cannot be read: Permission denied"):
        load_prompts(str(locked))
