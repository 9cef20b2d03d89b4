"""config.yaml: the shipped file is valid and complete; every mistake names line, key, remedy."""

from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import BaseModel

from node.configuration import InvalidSettingsError, load_settings, save_settings
from node.errors import ConfigurationError
from node.settings import MotionSettings, Settings
from pipeline.motion import Method

SHIPPED = Path(__file__).parents[2] / "config.yaml"


def _write(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def _keys(model: type[BaseModel]) -> set[str]:
    return set(model.model_fields)


def test_shipped_file_states_exactly_the_defaults() -> None:
    shipped = load_settings(SHIPPED)
    assert shipped.node.data == SHIPPED.parent.resolve() / "data"
    relative = shipped.node.model_copy(update={"data": Settings().node.data})
    assert shipped.model_copy(update={"node": relative}) == Settings()


def test_shipped_file_shows_every_key() -> None:
    values = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    assert set(values) == _keys(Settings)
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            assert set(values[name]) == _keys(field.annotation), name


def test_nobody_may_send_by_default() -> None:
    assert Settings().receive.allow == ()


def test_empty_file_means_defaults(tmp_path: Path) -> None:
    assert load_settings(_write(tmp_path, "")).receive == Settings().receive


@pytest.mark.parametrize(
    ("text", "line", "key", "words"),
    [
        ("node:\n  ae_titel: X\n", 2, "node.ae_titel", "did you mean 'ae_title'"),
        ("nodes:\n  ae_title: X\n", 1, "nodes", "did you mean 'node'"),
        ("receive:\n  port: 99999\n", 2, "receive.port", "found 99999"),
        ("receive:\n  port: eleven\n", 2, "receive.port", "integer"),
        ("node:\n  ae_title: 'FAR TOO LONG A TITLE'\n", 2, "node.ae_title", "16 printable"),
        ("node:\n  ae_title: 'A\\\\B'\n", 2, "node.ae_title", "no backslash"),
        (
            "receive:\n  allow:\n    - ae_title: A\n      address: scanner.local\n",
            4,
            "receive.allow.0.address",
            "not a host name",
        ),
        ("destinations:\n  - {name: a, ae_title: B}\n", 2, "destinations.0.address", "missing"),
        ("receive:\n  also_store: [CT]\n", 2, "receive.also_store", "SOP class UID"),
        ("complete:\n  idle_s: .nan\n", 2, "complete.idle_s", "finite"),
        ("complete:\n  quiet_s: 9\n  idle_s: 3\n", 1, "complete", "idle_s must not be shorter"),
        (
            "results:\n  descriptions:\n    flow: 'Flow {patient}'\n",
            3,
            "results.descriptions.flow",
            "{patient} is neither {state} nor {source}",
        ),
        ("results:\n  descriptions: {page: 'a\\b'}\n", 2, "results.descriptions.page", "backslash"),
        ("results:\n  descriptions: {page: ''}\n", 2, "results.descriptions.page", "1 to 64"),
        ("results:\n  descriptions: {pgae: x}\n", 2, "results.descriptions.pgae.[key]", "'page'"),
        ("node: &x\n  ae_title: A\n", 0, "", ""),
        ("node: *x\n", 1, "file", "aliases"),
        ("node: !!python/object:os.system {}\n", 1, "file", "tags"),
        ("node:\n  log_level: info\n  log_level: debug\n", 3, "log_level", "given twice"),
        ("node:\n ae_title: A\n  data: b\n", 3, "file", "not YAML"),
        ("- a\n- b\n", 1, "file", "expected sections"),
        (
            (
                "acquisition:\n  - {pattern: '(', role: perfusion, pulse_spacing_ms: 2, "
                "pulses_before_centre: 2, inversion_time: to_centre, "
                "proton_density_flip_angle_deg: 5}\n"
            ),
            2,
            "acquisition.0.pattern",
            "regular expression",
        ),
    ],
)
def test_mistakes_name_line_key_and_remedy(
    tmp_path: Path, text: str, line: int, key: str, words: str
) -> None:
    path = _write(tmp_path, text)
    if not line:  # an anchor nobody uses is harmless
        load_settings(path)
        return
    with pytest.raises(InvalidSettingsError) as caught:
        load_settings(path)
    found = [m for m in caught.value.mistakes if m.line == line and m.key == key]
    assert found, str(caught.value)
    assert words in found[0].problem


def test_all_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    path = _write(tmp_path, "node:\n  log_level: loud\nreceive:\n  port: 0\n")
    with pytest.raises(InvalidSettingsError) as caught:
        load_settings(path)
    assert [mistake.line for mistake in caught.value.mistakes] == [2, 4]


def test_two_destinations_of_one_name_are_refused(tmp_path: Path) -> None:
    row = "  - {name: PACS, ae_title: P, address: 127.0.0.1, port: 104}\n"
    with pytest.raises(InvalidSettingsError, match="names must differ"):
        load_settings(_write(tmp_path, "destinations:\n" + row + row))


def test_a_destination_that_waits_for_what_nobody_makes_is_refused(tmp_path: Path) -> None:
    text = (
        "results:\n  objects: [moco, page]\ndestinations:\n"
        "  - {name: PACS, ae_title: P, address: 127.0.0.1, port: 104, objects: [page, report]}\n"
    )
    with pytest.raises(InvalidSettingsError, match="PACS is to get 'report'") as caught:
        load_settings(_write(tmp_path, text))
    assert [mistake.line for mistake in caught.value.mistakes] == [3]


def test_missing_file_says_how_to_give_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="--config"):
        load_settings(tmp_path / "absent.yaml")


def test_binary_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(ConfigurationError, match="UTF-8"):
        load_settings(path)


def test_saved_settings_read_back_the_same(tmp_path: Path) -> None:
    path = tmp_path / "copy.yaml"
    settings = load_settings(SHIPPED)
    save_settings(settings, path)
    assert load_settings(path) == settings


def test_the_file_names_every_method_of_motion_correction() -> None:
    offered = MotionSettings.model_fields["method"].annotation
    assert set(get_args(offered)) == set(Method)


def test_the_folder_of_networks_is_relative_to_the_file(tmp_path: Path) -> None:
    path = _write(tmp_path, "motion:\n  weights: trained\n")
    assert load_settings(path).motion.weights == tmp_path.resolve() / "trained"
