"""Bring over cameras that another program, or Home Assistant itself, has: show what becomes of them, then add them."""

from asyncio import gather
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from homeassistant.config import async_hass_config_yaml, config_per_platform
from homeassistant.config_entries import SOURCE_IMPORT, ConfigFlowResult
from homeassistant.const import CONF_NAME, CONF_PLATFORM
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.selector import SelectSelector, SelectSelectorConfig, TextSelector, TextSelectorConfig
import probatio

from . import brought, forms
from .const import DOMAIN
from .engine.errors import NotUnderstood, TripodError
from .engine.importers import FORMATS, Around, Import, Imported, Line, core, read, read_environment
from .flow import CameraFlow
from .preview import NOTHING
from .probe import probe
from .sentences import describe

CONF_AROUND: Final = "around"
CONF_CAMERAS: Final = "cameras"
CONF_FORMAT: Final = "format"
CONF_PICTURES: Final = "pictures"
CONF_TEXT: Final = "text"

ANY: Final = "any"
"""The choice to let the text tell what it is."""

CORE: Final = ("generic", "mjpeg")
"""Home Assistant's cameras that have config entries; those of `ffmpeg` stand in YAML."""

_LINES = TextSelector(TextSelectorConfig(multiline=True))

_TEXT = probatio.Schema(
    {
        probatio.Required(CONF_FORMAT, default=ANY): forms.choice(ANY, *FORMATS, key="set_up"),
        probatio.Required(CONF_TEXT): _LINES,
        probatio.Optional(CONF_AROUND): _LINES,
        probatio.Optional(CONF_PICTURES): forms.TEXT,
    }
)


class ImportFlow(CameraFlow):
    """The steps of cameras that were set up elsewhere."""

    def __init__(self) -> None:
        """Begin with nothing read."""
        super().__init__()
        self._import = Import()
        self._core: dict[str, tuple[str, str, Mapping[str, Any]]] = {}
        """Home Assistant's cameras: platform, title and settings of each."""
        self._records: list[brought.Record] = []
        self._looks: list[str] = []
        """What a look at each camera brought, for people."""

    async def async_step_bring(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask where the cameras are set up now."""
        return self.async_show_menu(step_id="bring", menu_options=["bring_text", "bring_core"])

    async def async_step_bring_text(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take the configuration of another program."""
        if user_input is None:
            return self.show("bring_text", _TEXT, self.given)
        self.form, self.given = "bring_text", user_input
        try:
            self._import = await self.hass.async_add_executor_job(_read, user_input)
            await self._may_read(user_input)
        except NotUnderstood as error:
            self.error = error
            return await self.async_step_bring_text()
        return await self.async_step_bring_check()

    async def _may_read(self, given: Mapping[str, Any]) -> None:
        """Refuse a folder of pictures that Home Assistant may not touch."""
        folder = given.get(CONF_PICTURES)
        if folder and not await self.hass.async_add_executor_job(self.hass.config.is_allowed_path, folder):
            raise NotUnderstood("the folder is not in allowlist_external_dirs", what=folder)

    async def async_step_bring_core(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Let the user choose among the cameras that Home Assistant itself has."""
        if user_input is None:
            self._core = {key: known async for key, known in self._cameras_of_core()}
            if not self._core:
                return self.async_abort(reason="nothing_to_bring")
            labels = [(key, f"{title} ({platform})") for key, (platform, title, _) in self._core.items()]
            return self.show("bring_core", _chosen(labels), {})
        self._import = Import()
        for key in user_input[CONF_CAMERAS]:
            platform, title, settings = self._core[key]
            self._import += core.convert(platform, settings, title)
        return await self.async_step_bring_check()

    async def _cameras_of_core(self) -> Any:
        """Yield key, and platform, title and settings, of each camera."""
        for platform in CORE:
            for entry in self.hass.config_entries.async_entries(platform):
                yield entry.entry_id, (platform, entry.title, {**entry.data, **entry.options})
        try:
            config = await async_hass_config_yaml(self.hass)
        except HomeAssistantError:
            return  # it is Home Assistant's own to say what is wrong with its YAML
        for number, (of, settings) in enumerate(config_per_platform(config, "camera")):
            if of == "ffmpeg":
                yield f"yaml_{number}", (of, settings.get(CONF_NAME, "FFmpeg"), {CONF_PLATFORM: of, **settings})

    async def async_step_bring_check(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Look at each camera that was understood."""
        return await self.work("bring_check", self._look_at_all)

    async def _look_at_all(self) -> str:
        looked = await gather(*map(self._look_at, self._import.cameras))
        self._records = [record for record, _ in looked]
        self._looks = [said for _, said in looked]
        return "bring_review"

    async def _look_at(self, camera: Imported) -> tuple[brought.Record, str]:
        """Return a camera as it will be stored, and what a look at it brought."""
        try:
            source, found = await probe(self.hass, camera.source)
        except TripodError as error:
            return brought.record(camera), describe(self.hass, error)
        return brought.record(replace(camera, source=source), found.codec), "✓"

    async def async_step_bring_review(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show what was understood and what not, before anything is added."""
        if user_input is not None:
            return await self._add([self._records[int(key)] for key in user_input[CONF_CAMERAS]])
        labels = [(str(number), record["title"]) for number, record in enumerate(self._records)]
        cameras = [
            Line(name=camera.title, value=camera.source.address, meaning=" ".join([said, *camera.notes]))
            for camera, said in zip(self._import.cameras, self._looks, strict=True)
        ]
        return self.async_show_form(
            step_id="bring_review",
            data_schema=self.add_suggested_values_to_schema(
                _chosen(labels), {CONF_CAMERAS: [key for key, _ in labels]}
            ),
            description_placeholders={
                "cameras": _table(cameras),
                "understood": _table(self._import.understood),
                "not_needed": _table(self._import.not_needed),
                "not_understood": _table(self._import.not_understood),
            },
            last_step=True,
        )

    async def _add(self, records: list[brought.Record]) -> ConfigFlowResult:
        """Add each camera by a dialog of its own; nothing is removed where it was."""
        added = 0
        for record in records:
            result = await self.hass.config_entries.flow.async_init(
                DOMAIN, context={"source": SOURCE_IMPORT}, data=dict(record)
            )
            added += "result" in result
        reason = "brought_over" if added else "nothing_to_bring"
        return self.async_abort(reason=reason, description_placeholders={"added": str(added)})

    async def async_step_import(self, import_data: dict[str, Any]) -> ConfigFlowResult:
        """Add one camera that was brought over, unless it is there."""
        record = brought.Record(**import_data)  # type: ignore[typeddict-item]  # from `_add`
        source = brought.source(record)
        if identity := forms.identity(source):
            self._async_abort_entries_match(identity)
        return self.async_create_entry(
            title=record["title"],
            data=record["data"],
            options=record["options"],
            subentries=brought.subentries(record),
        )


def _read(given: Mapping[str, Any]) -> Import:
    """Read what the user gave; raises `NotUnderstood`."""
    kind = given[CONF_FORMAT]
    pictures = given.get(CONF_PICTURES)
    variables = read_environment(given[CONF_AROUND]) if given.get(CONF_AROUND) else {}
    around = Around(variables=variables, pictures=Path(pictures) if pictures else None)
    return brought.with_folders_that_are_there(read(given[CONF_TEXT], "" if kind == ANY else kind, around))


def _chosen(labels: Iterable[tuple[str, str]]) -> probatio.Schema:
    """Return a form on which some of several cameras are chosen."""
    options = [{"value": key, "label": label} for key, label in labels]
    config = SelectSelectorConfig(options=options, multiple=True)  # type: ignore[typeddict-item]  # as selectors have it
    return probatio.Schema({probatio.Required(CONF_CAMERAS, default=[]): SelectSelector(config)})


def _table(lines: Iterable[Line]) -> str:
    """Return lines as a table in Markdown; nothing of them can be anything but text in it."""
    rows = [f"| {_cell(line.name)} | {_cell(line.value)} | {_cell(line.meaning)} |" for line in lines]
    return "\n".join(["| | | |", "|-|-|-|", *rows]) if rows else NOTHING


def _cell(text: str) -> str:
    return "".join(f"&#{ord(letter)};" if letter in "|`*_<>[]\\!#{}~" else letter for letter in text)
