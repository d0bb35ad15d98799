"""lpr.settings: a bad file is refused with its place, a good one says where each value comes from."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr import settings
from lpr.config import Config
from lpr.settings import ConfigError


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "lpr.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "line", "names"),
    [
        ("[web]\nprot = 80\n", 2, ["web.prot", "not known", "'port'"]),
        ("[web]\n\nport = '80'\n", 3, ["web.port", "`int`", "'80'"]),
        ("[web]\nport = 99999\n", 2, ["web.port", "65535", "99999"]),
        ("[[cameras]]\nname = 'a'\n\n[[cameras]]\nname = 'a'\n", 5, ["cameras.1.name", "cameras.0.name"]),
        ("[[cameras]]\n[cameras.trigger]\nkind = 'x'\n", 3, ["trigger.kind", "'free-flow', 'motion'"]),
        ("[[cameras]]\nsource = 'rtsp://u:p@host/x'\n", 2, ["password", "credentials_file"]),
        ("[[cameras]]\nretry_first = 90\n", 2, ["retry_first", "retry_max"]),
        ("[[cameras]]\n[cameras.trigger]\nregion = [[0,0],[1,1],[0,0],[1,1]]\n", 3, ["no area"]),
        ("[[push]]\nurl = 'http://u:p@h/'\n", 2, ["push.0.url", "password_file"]),
        ("[[push]]\nurl = 'http://h/'\nuser = 'u'\n", 3, ["push.0.user", "password_file"]),
        ("[[push]]\nurl = 'http://h/'\npassword_file = 'nowhere'\n", 3, ["nowhere"]),
        ("[[milesight]]\nname = 'a'\nport = 8080\n", 3, ["milesight.0.port", "web.port"]),
        ("[[neural_server]]\nport = 8080\n", 2, ["neural_server.0.port", "web.port"]),
        ("[[neural_server]]\nhost = '0.0.0.0'\n", 2, ["neural_server.0.host", "no log-in", "allow"]),
        ("[[neural_server]]\nallow = ['10.0.0.1/8']\n", 2, ["neural_server.0.allow", "host bits"]),
        ("[[neural_server]]\ncameras = ['none']\n", 2, ["neural_server.0.cameras", "'none'"]),
        ("[[neural_server]]\n[neural_server.columns]\nplate = '1'\n", 2, ["neural_server.0.columns", "'plate'"]),
        ("[[neural_trigger]]\nperiod = 3\n", 2, ["neural_trigger.0.period", "4"]),
        ("[[neural_trigger]]\ncamera = 'none'\n", 2, ["neural_trigger.0.camera", "'none'"]),
        ("[[neural_client]]\nhost = 'h'\nretry_first = 900\n", 3, ["neural_client.0.retry_first", "retry_max"]),
        ("[[neural_client]]\nhost = 'h'\nshort_fields = ['Plat']\n", 3, ["neural_client.0.short_fields", "Plat"]),
        ("[rtsp]\nport = 8080\n", 2, ["rtsp.port", "web.port"]),
        ("[rtsp]\nplain = false\n", 2, ["rtsp.plain", "rtsp.tls"]),
        ("[rtsp]\nudp_port = 5005\n", 2, ["rtsp.udp_port", "even"]),
        ("[[rtsp.streams]]\n[[rtsp.streams]]\nname = 'main'\n", 3, ["rtsp.streams.1.name", "rtsp.streams.0"]),
        ("[[rtsp.streams]]\ncamera = 'none'\n", 2, ["rtsp.streams.0.camera", "'none'", "camera"]),
        ("[[mqtt]]\nhost = 'h'\nuser = 'u'\n", 3, ["mqtt.0.user", "password_file"]),
        ("[[mqtt]]\nhost = 'h'\npassword_file = 'gone'\n", 3, ["mqtt.0.password_file", "user"]),
        ("[[mqtt]]\nhost = 'h'\npassages = false\n", 3, ["mqtt.0.passages", "onvif"]),
        ("[[mqtt]]\nhost = 'h'\nprefix = 'a/#'\n", 3, ["mqtt.0.prefix"]),
        ("[[mqtt]]\nhost = 'h'\n[[mqtt]]\nhost = 'h'\nname = 'b'\n", 3, ["mqtt.1", "mqtt", "prefix"]),
        ("[[mqtt]]\nhost = 'h'\ntls = false\nclient_certificate_file = 'c'\n", 4, ["client_certificate_file", "TLS"]),
        ("[[mqtt]]\nhost = 'h'\nretry_first = 900\n", 3, ["mqtt.0.retry_first", "retry_max"]),
        ("[sign]\nkey_file = 'gone.pem'\n", 2, ["sign.key_file", "gone.pem"]),
        ("cameras = []\n", 1, ["cameras"]),
        ("[cameras]\nname = 'a'\n", 1, ["cameras", "write [[cameras]], with two brackets"]),
        ("[rtsp]\n[rtsp.streams]\nname = 'a'\n", 2, ["rtsp.streams", "write [[rtsp.streams]]"]),
    ],
)
def test_a_bad_value_is_refused_with_its_place(tmp_path: Path, text: str, line: int, names: list[str]) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        settings.load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:{line}: ")
    for name in names:
        assert name in message


def test_a_file_that_is_not_toml_is_named_with_the_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="line 2"):
        settings.load(write(tmp_path, "a = 1\nb = \n"))


def test_a_missing_and_a_binary_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        settings.load(tmp_path / "none.toml")
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="UTF-8"):
        settings.load(tmp_path / "x.toml")
    (tmp_path / "y.toml").write_bytes(b"#" * (settings.MAX_FILE_BYTES + 1))
    with pytest.raises(ConfigError, match="larger"):
        settings.load(tmp_path / "y.toml")


def test_every_value_says_where_it_comes_from(tmp_path: Path) -> None:
    path = write(tmp_path, "[web]\nport = 9000\n[[cameras]]\nname = 'a'\n[[cameras]]\nname = 'b'\nlane = 'x'\n")
    loaded = settings.load(path, ["cameras.1.lane=north", "vote.min_confidence=0.5"])
    origins = {key: (value, origin) for key, value, origin in loaded.rows()}
    assert origins["web.port"] == (9000, f"{path}:2")
    assert origins["web.host"] == ("127.0.0.1", "default")
    assert origins["cameras.1.name"] == ("b", f"{path}:6")
    assert origins["cameras.1.lane"] == ("north", "--set")
    assert origins["vote.min_confidence"] == (0.5, "--set")


@pytest.mark.parametrize("override", ["port", "=3", "web.port.x=3", "cameras.7.name=x", "Web=1", "web.port=x"])
def test_a_bad_override_is_refused(override: str) -> None:
    with pytest.raises(ConfigError):
        settings.load(None, [override])


def test_an_override_may_add_a_camera_or_a_receiver() -> None:
    loaded = settings.load(None, ["push.0.url=http://127.0.0.1:1/x", "cameras.0.source=a.mp4"])
    assert loaded.config.push[0].url == "http://127.0.0.1:1/x"
    assert loaded.config.cameras[0].source == "a.mp4"


def test_a_server_reachable_from_outside_without_tls_is_warned_of() -> None:
    assert any("TLS" in text for text in settings.load(None, ["web.host=0.0.0.0"]).warnings)
    assert settings.load(None).warnings == ()


def test_streams_that_anybody_can_watch_are_warned_of() -> None:
    overrides = ["rtsp.host=0.0.0.0", "rtsp.guests=true"]
    assert any("rtsp.guests" in text for text in settings.load(None, overrides).warnings)
    overrides = ["rtsp.host=0.0.0.0", 'rtsp.methods=["basic"]']
    assert any("RTSPS" in text for text in settings.load(None, overrides).warnings)
    assert settings.load(None, ["rtsp.port=8555"]).warnings == ()


def test_defaults_are_a_whole_configuration() -> None:
    assert settings.load(None).config == Config()


@given(st.text(max_size=300))
def test_any_text_is_scanned_for_lines_without_an_error(text: str) -> None:
    for line in settings.key_lines(text).values():
        assert 1 <= line <= len(text.splitlines())


def test_lines_are_not_misled_by_strings_and_arrays() -> None:
    text = 'a = """\nb = 1\n"""\nc = [\n  1, # d = 2\n  2,\n]\n[t.u]\ne = "x # y = ["\n[[v]]\nf = 1\n[v.w]\ng = 2\n'
    assert settings.key_lines(text) == {
        "a": 1,
        "c": 4,
        "t.u": 8,
        "t.u.e": 9,
        "v.0": 10,
        "v.0.f": 11,
        "v.0.w": 12,
        "v.0.w.g": 13,
    }
