"""Texts: every key that the code uses is there, and every text is used."""

from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import SelectSelector
from homeassistant.util.json import load_json_object
from homeassistant.util.yaml import load_yaml_dict
import pytest

from custom_components import tripod
from custom_components.tripod import (
    button,
    csi_flow,
    csi_forms,
    event,
    forms,
    image,
    issues,
    link_flow,
    node_forms,
    publication_entity,
    publication_flow,
    select,
    sensor,
    sentences,
    services,
    storage_forms,
    switch,
    timelapse_forms,
    timelapse_switch,
    v4l2_forms,
)
from custom_components.tripod.control_entity import KNOWN
from custom_components.tripod.engine import errors
from custom_components.tripod.engine.errors import TripodError
from custom_components.tripod.engine.exposure import Exposure
from custom_components.tripod.engine.publisher import PublisherState
from custom_components.tripod.engine.sources import V4l2, csi
from custom_components.tripod.engine.sources.alsa import Microphone
from custom_components.tripod.engine.sources.csi import CsiCamera
from custom_components.tripod.engine.sources.node import CameraFacts
from custom_components.tripod.engine.sources.v4l2.profiles import Measured
from custom_components.tripod.engine.status import State
from custom_components.tripod.sensor import causes
from custom_components.tripod.sentences import describe, translated
from tests.recorded import v4l2_devices

from .conftest import SetUp

ROOT = Path(tripod.__file__).parent
EN: dict[str, Any] = load_json_object(ROOT / "translations/en.json")
ICONS: dict[str, Any] = json.loads((ROOT / "icons.json").read_text())
CAUSES = set(causes())


def _fields(schema: Any) -> tuple[set[str], dict[str, Any], list[str]]:
    """Return the names of a form's fields, its sections, and what its selectors are translated under."""
    names, sections, selectors = set(), {}, []
    for key, value in schema.schema.items():
        name = str(getattr(key.schema, "schema", key.schema))
        if isinstance(value, section):
            sections[name] = value.schema
            continue
        names.add(name)
        parts = getattr(value, "validators", [value])
        selectors += [
            part.config["translation_key"]
            for part in parts
            if isinstance(part, SelectSelector) and "translation_key" in part.config
        ]
    return names, sections, selectors


def _assert_form(step: dict[str, Any], schema: Any) -> None:
    names, sections, selectors = _fields(schema)
    assert names <= set(step["data"])
    assert set(step["data"]) == set(step["data_description"])
    for name, inner in sections.items():
        _assert_form(step["sections"][name], inner)
    assert set(selectors) <= set(EN["selector"])


@pytest.mark.parametrize("kind", forms.DESCRIBED)
@pytest.mark.parametrize("named", [True, False])
def test_every_field_of_a_camera_has_a_text(kind: str, named: bool) -> None:  # noqa: FBT001
    step = "v4l2_path" if kind == "v4l2" else kind
    _assert_form(EN["config"]["step"][step], forms.camera(kind, named=named))


def test_every_kind_of_camera_has_a_text() -> None:
    texts = EN["config"]["step"]["user"]
    assert list(texts["menu_options"]) == list(texts["menu_option_descriptions"]) == forms.KINDS


def test_every_field_of_a_camera_that_is_looked_for_has_a_text() -> None:
    steps, words = EN["config"]["step"], sentences.Phrases(None, _phrases())
    webcam = v4l2_devices()[0]
    ways = [Measured(source=V4l2(device=webcam.path, input_format=name)) for name in ("mjpeg", "yuyv422")]
    sound = [Microphone(device="plughw:CARD=Camera,DEV=0", name="Camera", usb="")]
    _assert_form(steps["v4l2_camera"], v4l2_forms.cameras([(webcam.id, webcam.name)]))
    _assert_form(steps["v4l2_profile"], v4l2_forms.profiles(ways, sound, webcam, words, stored=None, named=True))
    _assert_form(steps["v4l2_expert"], v4l2_forms.settings(webcam))
    camera = CsiCamera(id="/base/i2c@1/imx708@1a", model="imx708")
    modes = csi.profiles(camera)
    _assert_form(steps["csi_camera"], csi_forms.cameras([camera]))
    _assert_form(steps["csi_profile"], csi_forms.profiles(modes, camera, words, present=None, named=True))
    _assert_form(steps["csi_expert"], csi_forms.SETTINGS)
    for choice, own in (
        ("v4l2_camera", {v4l2_forms.AGAIN, v4l2_forms.BY_PATH}),
        ("v4l2_profile", {forms.EXPERT}),
        ("csi_profile", {forms.EXPERT}),
        ("microphone", {v4l2_forms.SILENT}),
    ):
        assert set(EN["selector"][choice]["options"]) == own


def _phrases() -> dict[str, str]:
    texts: dict[str, str] = EN["selector"]["phrase"]["options"]
    return {sentences.PHRASES + key: text for key, text in texts.items()}


def _modules() -> list[Path]:
    """Return the files of Home Assistant's half."""
    return [*ROOT.glob("*.py"), *ROOT.glob("services/*.py")]


def test_every_phrase_is_used_and_every_phrase_that_is_used_has_a_text() -> None:
    code = "".join(path.read_text() for path in ROOT.glob("*.py"))
    assert {key for key in EN["selector"]["phrase"]["options"] if f'"{key}"' not in code} == set()
    said = set(re.findall(r'\bsay\(\s*"(\w+)"', code))
    assert said
    assert said <= set(EN["selector"]["phrase"]["options"])


def test_every_field_of_the_other_dialogs_has_a_text() -> None:
    _assert_form(EN["options"]["step"]["behaviour"], forms.options("v4l2"))
    _assert_form(EN["options"]["step"]["storage"], storage_forms.STORAGE)
    _assert_form(EN["config"]["step"]["reauth_confirm"], forms.CREDENTIALS)
    _assert_form(EN["issues"]["unauthorized"]["fix_flow"]["step"]["confirm"], forms.CREDENTIALS)
    _assert_form(EN["options"]["step"]["behaviour"], forms.options("node"))
    steps = EN["config"]["step"]
    _assert_form(steps["node"], node_forms.NODE)
    _assert_form(steps["node_code"], node_forms.CODE)
    _assert_form(steps["node_camera"], node_forms.cameras([CameraFacts(id="yard", title="Yard")]))
    steps = EN["config_subentries"]["link"]["step"]
    _assert_form(steps["user"], link_flow.NEW)
    _assert_form(steps["reconfigure"], link_flow.CHANGE)
    steps = EN["config_subentries"]["timelapse"]["step"]
    _assert_form(steps["user"], timelapse_forms.NEW)
    _assert_form(steps["reconfigure"], timelapse_forms.CHANGE)
    steps = EN["config_subentries"]["publication"]["step"]
    _assert_form(steps["user"], publication_flow.FORM)
    _assert_form(steps["reconfigure"], publication_flow.FORM)


FLOW = ("config_flow.py", "csi_flow.py", "flow.py", "import_flow.py", "node_flow.py", "v4l2_flow.py")


def test_every_step_has_a_text() -> None:
    code = "".join((ROOT / file).read_text() for file in FLOW)
    shown = set(re.findall(r'(?:\bstep_id=|self\.show\(\s*)"(\w+)"', code)) | set(forms.DESCRIBED) - {"v4l2"}
    assert shown == set(EN["config"]["step"])
    assert set(re.findall(r'self\.work\("(\w+)"', code)) == set(EN["config"]["progress"])
    for file, subentry in (("publication_flow.py", "publication"), ("link_flow.py", "link")):
        code = (ROOT / file).read_text()
        assert set(re.findall(r'reason="(\w+)"', code)) <= set(EN["config_subentries"][subentry]["abort"])
    links = set(re.findall(r'\bstep_id="(\w+)"', (ROOT / "link_flow.py").read_text()))
    assert links <= set(EN["config_subentries"]["link"]["step"])
    assert set(re.findall(r"\{(\w+)\}", EN["config"]["step"]["confirm"]["description"])) == {
        "picture",
        "codec",
        "size",
        "rate",
        "audio",
    }
    for step in ("urls", "reconfigure"):
        named = set(re.findall(r"\{(\w+)\}", EN["config_subentries"]["link"]["step"][step]["description"]))
        assert named - {"last_used"} == set(link_flow.PATHS)


@pytest.mark.parametrize("cause", sorted(CAUSES))
def test_every_cause_has_a_sentence_that_says_what_to_do(cause: str) -> None:
    text = EN["exceptions"][cause]["message"]
    assert text.count(". ") >= 1 or cause == "invalid_request"
    assert EN["config"]["error"][cause] == text
    assert EN["issues"]["unauthorized"]["fix_flow"]["error"][cause] == text
    assert cause in EN["entity"]["sensor"]["last_error"]["state"]


def test_no_text_is_left_over() -> None:
    assert set(EN["config"]["error"]) == {*CAUSES, csi_flow.NO_CAMERA}
    assert set(EN["entity"]["sensor"]["last_error"]["state"]) == {*CAUSES, sensor.NO_ERROR}
    assert set(EN["entity"]["sensor"]["state"]["state"]) == {state.value for state in State}
    own = set(EN["exceptions"]) - CAUSES
    code = "".join(path.read_text() for path in _modules())
    assert {key for key in own if f'"{key}"' not in code} == set()
    assert set(EN["services"]) == set(services.Service)


def test_every_exception_that_is_raised_has_a_text() -> None:
    code = "".join(path.read_text() for path in _modules())
    raised = set(re.findall(r'translation_key="(\w+)"', code)) | set(re.findall(r'_refused\("(\w+)"', code))
    named = {key for texts in EN["entity"].values() for key in texts} | set(EN["selector"])
    assert raised - named <= set(EN["exceptions"])


def test_every_entity_has_a_name_and_an_icon() -> None:
    named: set[str] = set()
    for platform, descriptions in (
        ("binary_sensor", [publication_entity.CONNECTED]),
        ("button", button.DESCRIPTIONS),
        ("event", [event.CHANGE, event.CONNECTION, *event.KEPT]),
        ("image", image.DESCRIPTIONS),
        ("number", []),
        ("select", [select.EXPOSURE]),
        ("sensor", [*sensor.DESCRIPTIONS, *sensor.KEPT, sensor.HAND_OVER, publication_entity.STATE]),
        ("switch", [switch.STREAM, timelapse_switch.TIMELAPSE, publication_entity.SWITCH]),
    ):
        # what has no key is named by its device class
        keys = {description.translation_key for description in descriptions} - {None}
        texts, icons = set(EN["entity"][platform]), set(ICONS["entity"][platform])
        assert keys <= texts
        assert texts == icons
        assert texts - keys <= set(KNOWN)
        named |= texts - keys
    assert named == set(KNOWN), "each control has its name where it is usual"
    assert all(description.device_class or description.translation_key for description in button.DESCRIPTIONS)


def test_the_words_of_events_are_complete() -> None:
    for description in (event.CHANGE, event.CONNECTION, *event.KEPT):
        texts = EN["entity"]["event"][description.key]["state_attributes"]["event_type"]["state"]
        assert set(texts) == set(description.event_types)


def test_the_words_of_states_are_complete() -> None:
    assert set(EN["entity"]["select"]["exposure"]["state"]) == set(Exposure)
    assert set(EN["entity"]["sensor"]["publication_state"]["state"]) == set(PublisherState)
    events = EN["entity"]["event"]["change"]["state_attributes"]["event_type"]["state"]
    assert events == EN["entity"]["sensor"]["state"]["state"]


@pytest.mark.parametrize("cause", [*issues.DEVICE_CAUSES, *issues.ARCHIVE_CAUSES])
def test_an_issue_names_what_its_error_names(cause: str) -> None:
    [kind] = [error for error in _all_errors() if error.cause == cause]
    texts = EN["issues"][cause]
    confirm = texts["fix_flow"]["step"]["confirm"] if "fix_flow" in texts else texts
    text = texts["title"] + confirm["title"] + confirm["description"]
    known = {"name", "detail", *re.findall(r"\{(\w+)\}", kind.sentence)}
    assert set(re.findall(r"\{(\w+)\}", text)) <= known


def test_every_action_has_texts_and_an_icon() -> None:
    assert set(ICONS["services"]) == set(services.Service)
    described = load_yaml_dict(str(ROOT / "services.yaml"))
    for name, action in services.ACTIONS.items():
        texts = EN["services"][name]
        assert set(texts.get("fields", {})) == {str(field) for field in action.fields or {}}
        assert all(set(text) == {"name", "description"} for text in texts.get("fields", {}).values())
        sections = {key for key, field in (described[name] or {}).get("fields", {}).items() if "fields" in field}
        assert set(texts.get("sections", {})) == sections


def test_every_choice_of_an_action_has_a_text() -> None:
    def choices(fields: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for field in fields.values():
            yield from choices(field.get("fields", {}))
            if choice := (field.get("selector") or {}).get("select"):
                yield choice

    for action in load_yaml_dict(str(ROOT / "services.yaml")).values():
        for choice in choices(action.get("fields", {})):
            assert set(choice["options"]) == set(EN["selector"][choice["translation_key"]]["options"])


def test_every_choice_has_a_text() -> None:
    def check(schema: Any) -> None:
        for value in schema.schema.values():
            if isinstance(value, section):
                check(value.schema)
            for part in getattr(value, "validators", [value]):
                if isinstance(part, SelectSelector):
                    texts = EN["selector"][part.config["translation_key"]]["options"]
                    assert set(map(str, part.config["options"])) == set(texts)

    for kind in forms.DESCRIBED:
        check(forms.camera(kind, named=True))
    check(forms.options("v4l2"))
    check(link_flow.NEW)
    check(timelapse_forms.NEW)
    check(publication_flow.FORM)


def _all_errors(kind: type[TripodError] = TripodError) -> list[type[TripodError]]:
    return [error for sub in kind.__subclasses__() for error in (sub, *_all_errors(sub))]


@pytest.mark.parametrize("kind", _all_errors())
async def test_a_sentence_names_what_the_error_names(
    hass: HomeAssistant, set_up: SetUp, kind: type[TripodError]
) -> None:
    await set_up()
    named = dict.fromkeys(re.findall(r"\{(\w+)\}", kind.sentence), "value")
    detail = named.pop("detail", "")
    sentence = describe(hass, kind(detail, **named))
    assert "{" not in sentence
    assert sentence == EN["exceptions"][kind.cause]["message"].format(**{"detail": detail or "?", **named})
    assert str(translated(kind(detail, **named))).rstrip(".") == sentence.rstrip(".")


async def test_without_a_translation_the_sentence_is_english(
    hass: HomeAssistant, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = errors.Stalled(seconds="10")
    await set_up()
    for texts in ({}, {"component.tripod.exceptions.stalled.message": "{what} is missing"}):
        monkeypatch.setattr(sentences, "async_get_cached_translations", lambda *_, texts=texts: texts)
        assert describe(hass, error) == "No picture came for 10 seconds"
