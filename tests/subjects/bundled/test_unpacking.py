"""What converting saves: a GGUF file is parsed once, and the library is left as it came."""

from pathlib import Path

import gguf
import pytest

from backend.subjects.bundled.unpacking import read_once


def test_a_file_is_parsed_once_and_names_are_mapped_once(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "x.gguf", "llama")
    writer.add_block_count(2)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    plain = gguf.get_tensor_name_map
    with read_once():
        first = gguf.GGUFReader(tmp_path / "x.gguf")
        assert gguf.GGUFReader(tmp_path / "x.gguf") is first
        assert first.fields["llama.block_count"].contents() == 2
        names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, 2)
        assert gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, 2) is names
        assert names.mapping == plain(gguf.MODEL_ARCH.LLAMA, 2).mapping


def interrupted() -> None:
    with read_once():
        raise KeyboardInterrupt


def test_the_library_is_left_as_it_came() -> None:
    plain = gguf.GGUFReader, gguf.get_tensor_name_map
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (gguf.GGUFReader, gguf.get_tensor_name_map) == plain
