"""What needs attention: in words for each reader, and told on the terminal once."""

from __future__ import annotations

import pytest

from lpr.actors.figures import FiguresState
from lpr.events import LogRecovered
from lpr.status import News, hints_of, trouble, troubles_of, with_troubles
from lpr.web.status import ActorStatus, LogStatus, ServiceStatus, SinkStatus, SourceStatus
from lpr.web.texts import LANGUAGES, texts_of

BAD = ServiceStatus(
    release="1",
    device="d",
    started=0,
    now=0,
    log=LogStatus(log_id="0" * 32, head=1, free_bytes=5_000_000),
    actors=(
        ActorStatus(name="mqtt", state="parked", detail="no broker"),
        ActorStatus(name="voter", state="failed", detail="disk full"),
        ActorStatus(name="signer", state="running"),
    ),
    sources=(SourceStatus("gate", state="lost", message="refused"), SourceStatus("yard", state="running")),
    sinks=(SinkStatus(name="push", state="waiting", waiting=3, parked=2, last_error="503"),),
)
RECOVERED = (LogRecovered(problem="cut short", remedy="kept", kept=1, lost_after=1),)
STREAMS = {"main": "MJPEG is offered instead of H265"}


def test_every_trouble_is_told_and_only_those() -> None:
    found = list(troubles_of(BAD, FiguresState(missing_pictures=4), RECOVERED, 10_000_000, STREAMS))
    assert [each.code for each in found] == [
        "recovered", "disk", "pictures", "parked", "actor", "camera", "stream", "sink", "refused"
    ]  # fmt: skip
    well = ServiceStatus(release="1", device="d", started=0, now=0, log=LogStatus(log_id="0", head=0, free_bytes=10**9))
    assert list(troubles_of(well, FiguresState(), (), 10_000_000)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_says_it_with_its_values(language: str) -> None:
    texts = texts_of(language)
    for each in troubles_of(BAD, FiguresState(missing_pictures=4), RECOVERED, 10_000_000, STREAMS):
        said = texts(f"trouble.{each.code}", **each.values)
        assert "trouble." not in said and all(value in said for value in each.values.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_hint_is_said_in_each_language(language: str) -> None:
    assert list(hints_of(())) == []
    (hint,) = hints_of(("main", "sub"))
    said = texts_of(language)(f"hint.{hint.code}", **hint.values)
    assert "(main, sub)" in said and "pip install 'lpr[video]'" in said


def test_programs_get_english_sentences() -> None:
    status = with_troubles(BAD, (trouble("disk", free=5),))
    assert status.problems == ("The disk is nearly full: 5 MB are free.",)


def test_a_trouble_is_news_once_and_its_end_too() -> None:
    news = News()
    assert news.of(["5 MB are free"]) == ["5 MB are free"]
    assert news.of(["4 MB are free"]) == []
    assert news.of([]) == ["no longer: 5 MB are free"]
