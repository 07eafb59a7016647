from pathlib import Path

import pytest

from caseframe.config import ExtractConfig, default_config_path, load_extract_config
from caseframe.errors import ConfigError


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "job.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_commented_default_says_what_the_code_does() -> None:
    assert load_extract_config() == ExtractConfig()


def test_every_key_of_the_default_is_commented() -> None:
    lines = default_config_path().read_text(encoding="utf-8").splitlines()
    keys = [line for line in lines if line.startswith("  ")]
    assert len(keys) >= 12
    assert all("#" in line for line in keys)


def test_an_unknown_key_names_file_and_key(tmp_path: Path) -> None:
    path = write(tmp_path, "output:\n  format: [csv]\n")
    with pytest.raises(ConfigError, match=r"job\.yaml: unknown key output\.format"):
        load_extract_config(path)


def test_a_wrong_type_names_what_was_expected(tmp_path: Path) -> None:
    path = write(tmp_path, "output: {part_size: many}\n")
    with pytest.raises(ConfigError, match=r"output\.part_size: input should be a valid integer.*many"):
        load_extract_config(path)


def test_yaml_1_2_no_is_a_word(tmp_path: Path) -> None:
    path = write(tmp_path, "input: {columns: {language: NO}}\n")
    assert load_extract_config(path).input.columns == {"language": "NO"}


@pytest.mark.parametrize("text", ["input: [", "a: 1\na: 2\n", "\t- x"])
def test_broken_yaml_is_one_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="no valid YAML") as caught:
        load_extract_config(write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_an_unknown_field(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such config file"):
        load_extract_config(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match=r"pipeline\.fields: unknown diagnoses"):
        load_extract_config(write(tmp_path, "pipeline: {fields: [diagnoses]}\n"))
