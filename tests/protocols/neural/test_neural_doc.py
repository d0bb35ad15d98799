"""docs/protocols/neural.md: its snippet runs, and what it says of names, fields and limits is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from lpr.actors.neural.server import CACHE
from lpr.config import NeuralClient, NeuralMessages, NeuralServer, NeuralTrigger
from lpr.config.neural import InfoplateField
from lpr.protocols.neural import MACROS
from lpr.protocols.neural.decoding import MAX_DEPTH, MAX_ELEMENTS, MAX_EVIDENCES
from lpr.protocols.neural.names import xml_name
from lpr.protocols.neural.record import ALWAYS, FIELDS, SHORT

PAGE = (Path(__file__).parents[3] / "docs" / "protocols" / "neural.md").read_text(encoding="utf-8")


def test_the_snippets_run() -> None:
    snippets = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert snippets
    for snippet in snippets:
        exec(compile(snippet, "docs/protocols/neural.md", "exec"), {})


def test_every_field_is_told_and_can_be_configured() -> None:
    assert [name for name in ALWAYS if name not in PAGE] == []
    assert list(InfoplateField.__args__) == list(FIELDS)
    (short,) = re.findall(r"The short form has (.*?) unless", PAGE)
    assert set(re.split(r", | and ", short)) == set(SHORT)


def test_every_macro_is_told() -> None:
    assert [name for name in MACROS if f"{{{name}}}" not in PAGE] == []


def test_ports_limits_and_names() -> None:
    trigger, server = NeuralTrigger(), NeuralServer()
    client = msgspec.convert({"host": "h"}, NeuralClient)
    for port in (client.port, server.port, trigger.port):
        assert re.search(rf"\| {port} \*\*", PAGE)
    assert f"{CACHE >> 20} MiB" in PAGE
    assert f"{MAX_ELEMENTS} elements, {MAX_DEPTH} levels, {MAX_EVIDENCES} evidences" in PAGE
    assert f"<{xml_name('VIVOTEK Building No.')}>" in PAGE
    for word in (trigger.no_plate, trigger.refused, trigger.message):
        assert f"`{word}`" in PAGE
    settings = {*NeuralMessages.__struct_fields__, *NeuralTrigger.__struct_fields__, *NeuralServer.__struct_fields__}
    assert [name for name in re.findall(r"`([a-z]+_[a-z_]+)`", PAGE) if name not in settings | {"lane_number"}] == []
