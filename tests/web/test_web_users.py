"""Users: the fold, the store, the credentials file."""

from __future__ import annotations

import stat
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.core.clock import ManualClock
from lpr.core.errors import LogUnavailable
from lpr.core.log import EventLog
from lpr.core.record import Link
from lpr.events import Event, PasswordSet, UserAdded, UserChanged, UserRemoved
from lpr.web import credentials
from lpr.web.users import UserError, Users, UserStore, administrators, evolve, one_time_password
from tests.web.sample import CHEAP

GOOD = "a long enough secret"
names = st.sampled_from(["admin", "maria", "joão", ""])
roles = st.sampled_from(["administrator", "operator", "owner"])
events = st.one_of(
    st.builds(UserAdded, user=names, role=roles, by=names),
    st.builds(UserChanged, user=names, role=roles, by=names),
    st.builds(UserRemoved, user=names, by=names),
    st.builds(PasswordSet, user=names, by=names, temporary=st.booleans()),
)


@given(st.lists(events, max_size=30))
def test_the_fold_is_total_and_knows_only_added_users(history: list[Event]) -> None:
    users: Users = {}
    for event in history:
        before = dict(users)
        users = evolve(users, event)
        assert all(user.role in ("administrator", "operator") and user.name == name for name, user in users.items())
        if not isinstance(event, UserAdded):
            assert set(users) <= set(before)
    assert set(administrators(users)) <= {e.user for e in history if isinstance(e, UserAdded | UserChanged)}


@given(st.binary(min_size=32, max_size=32))
def test_a_one_time_password_is_a_good_one(random: bytes) -> None:
    password = one_time_password(random)
    assert len(password) == 19
    assert credentials.weakness("admin", password) is None or len(set(password)) < 5


@given(st.text(max_size=30), st.text(max_size=300))
def test_weakness_says_something_of_every_password(user: str, password: str) -> None:
    problem = credentials.weakness(user, password)
    assert (problem is None) <= (10 <= len(password) <= 256)


@asynccontextmanager
async def opened(folder: Path) -> AsyncGenerator[tuple[UserStore, EventLog]]:
    clock = ManualClock()
    async with EventLog.open(folder / "events.db", clock) as log:
        store = UserStore(log, clock, folder / "credentials.json", cost=CHEAP)
        await store.load()
        yield store, log


@pytest.mark.anyio
async def test_the_first_start_makes_an_administrator_with_a_password_shown_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as (store, log):
        made = await store.ensure_administrator()
        assert made is not None
        name, password = made
        user = await store.check(name, password)
        assert user is not None and user.role == "administrator" and user.temporary
        assert await store.ensure_administrator() is None
        assert all(password.encode() not in record.body for record in await log.read(0))
    file = tmp_path / "credentials.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert password not in file.read_text()
    async with opened(tmp_path) as (store, _):
        assert await store.ensure_administrator() is None
        assert (await store.check(name, password)) is not None


@pytest.mark.anyio
async def test_lost_credentials_give_the_administrator_a_new_password(tmp_path: Path) -> None:
    async with opened(tmp_path) as (store, _):
        await store.ensure_administrator()
    (tmp_path / "credentials.json").unlink()
    async with opened(tmp_path) as (store, _):
        made = await store.ensure_administrator()
        assert made is not None and (await store.check(*made)) is not None
        assert len(store.list()) == 1


@pytest.mark.anyio
async def test_users_come_change_and_go(tmp_path: Path) -> None:
    async with opened(tmp_path) as (store, log):
        await store.add("boss", "administrator", GOOD, by="test", temporary=False)
        await store.add("maria", "operator", GOOD, by="boss")
        assert [user.name for user in store.list()] == ["boss", "maria"]
        assert await store.check("maria", "wrong") is None
        assert await store.check("nobody", GOOD) is None
        await store.set_role("maria", "administrator", by="boss")
        await store.set_role("boss", "operator", by="maria")
        with pytest.raises(UserError, match="only administrator"):
            await store.remove("maria", by="boss")
        with pytest.raises(UserError, match="only administrator"):
            await store.set_role("maria", "operator", by="boss")
        await store.set_password("boss", GOOD + "!", by="boss")
        assert await store.check("boss", GOOD) is None
        await store.remove("boss", by="maria")
        assert await store.check("boss", GOOD + "!") is None
        assert "boss" not in (tmp_path / "credentials.json").read_text()
        kinds = [record.type for record in await log.read(0)]
        assert kinds.count("PasswordSet") == 3 and kinds[-1] == "UserRemoved"
    async with opened(tmp_path) as (store, _):
        assert [(user.name, user.role) for user in store.list()] == [("maria", "administrator")]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("name", "role", "password", "code"),
    [
        ("a b", "operator", GOOD, "bad_user_name"),
        ("", "operator", GOOD, "bad_user_name"),
        ("x" * 65, "operator", GOOD, "bad_user_name"),
        ("maria", "owner", GOOD, "bad_parameter"),
        ("maria", "operator", "short", "weak_password"),
        ("maria", "operator", "maria12345", "weak_password"),
        ("maria", "operator", "aaaaaaaaaaaa", "weak_password"),
        ("boss", "operator", GOOD, "user_exists"),
    ],
)
async def test_impossible_users_are_refused(tmp_path: Path, name: str, role: str, password: str, code: str) -> None:
    async with opened(tmp_path) as (store, _):
        await store.add("boss", "administrator", GOOD, by="test")
        with pytest.raises(UserError) as caught:
            await store.add(name, role, password, by="boss")
        assert caught.value.code == code
        assert len(store.list()) == 1


class Stuck:
    """A log that can't be written any more."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self.stuck = False

    async def append(
        self, events: Sequence[Event], *, actor: str, cause: int = 0, cursor: int | None = None
    ) -> tuple[Link, ...]:
        if self.stuck:
            raise LogUnavailable("disk full")
        return await self._log.append(events, actor=actor, cause=cause, cursor=cursor)

    async def read(
        self, after: int, *, types: Sequence[str] | None = None, limit: int = 500, upto: int | None = None
    ) -> list[Link]:
        return await self._log.read(after, types=types, limit=limit, upto=upto)


@pytest.mark.anyio
async def test_a_full_disk_leaves_the_old_password(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "events.db", clock) as log:
        stuck = Stuck(log)
        store = UserStore(stuck, clock, tmp_path / "credentials.json", cost=CHEAP)
        await store.add("boss", "administrator", GOOD, by="test")
        stuck.stuck = True
        with pytest.raises(LogUnavailable):
            await store.set_password("boss", GOOD + "!", by="boss")
        assert await store.check("boss", GOOD) is not None
        assert await store.check("boss", GOOD + "!") is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"users": {"x": 1}}', b"\xff\xfe", b"x" * 1_100_000])
def test_a_damaged_credentials_file_is_named_with_the_remedy(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "credentials.json"
    file.write_bytes(content)
    with pytest.raises(credentials.CredentialsError, match=r"credentials\.json.*lpr user password"):
        credentials.load(file)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(credentials.CredentialsError, match="can't be written"):
        credentials.save(tmp_path / "absent" / "credentials.json", credentials.CredentialsFile())
