"""``lpr user list|add|role|password|remove``: who may log in, without the pages.

Changes need the log to themselves: while the service runs, use its pages or the REST API. Listing works beside it.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from lpr.cli.output import CommandError, say, say_json, say_table
from lpr.cli.places import add_place, folder, open_reader, run_async
from lpr.core.clock import SystemClock
from lpr.core.log import EventLog
from lpr.web.users import ROLES, Users, UserStore, evolve, one_time_password

BY = "command line"


def add(commands: Any) -> None:
    """Add the command."""
    user = commands.add_parser("user", help="who may log in")
    kinds = user.add_subparsers(dest="kind", metavar="list|add|role|password|remove", required=True)
    show = kinds.add_parser("list", help="the users and their roles")
    show.add_argument("--json", action="store_true", help="as JSON")
    show.set_defaults(run=_list)
    new = kinds.add_parser("add", help="a new user; prints a one-time password unless one is given")
    new.add_argument("name")
    new.add_argument("--role", choices=ROLES, default="operator")
    role = kinds.add_parser("role", help="change a user's role")
    role.add_argument("name")
    role.add_argument("role", choices=ROLES)
    password = kinds.add_parser("password", help="a new password; prints a one-time one unless one is given")
    password.add_argument("name")
    remove = kinds.add_parser("remove", help="take a user's access away")
    remove.add_argument("name")
    for command in (new, password):
        command.add_argument("--ask", action="store_true", help="ask for the password on the terminal")
        command.add_argument("--stdin", action="store_true", help="take the password from standard input")
    for command in (show, new, role, password, remove):
        add_place(command)
    for command, change in ((new, _add), (role, _role), (password, _password), (remove, _remove)):
        command.set_defaults(run=partial(_change, change))


def _list(options: argparse.Namespace) -> int:
    async def users() -> Users:
        found: Users = {}
        async with open_reader(folder(options)) as log:
            after = 0
            while page := await log.read(after, types=("UserAdded", "UserChanged", "UserRemoved", "PasswordSet")):
                for record in page:
                    found = evolve(found, record.event, record.wall)
                after = page[-1].seq
        return found

    rows = [(user.name, user.role, user.temporary) for user in run_async(users).values()]
    if options.json:
        say_json([{"user": name, "role": role, "temporary": temporary} for name, role, temporary in sorted(rows)])
    else:
        say_table(("user", "role", "password"), [(n, r, "to be changed" if t else "set") for n, r, t in sorted(rows)])
    return 0


Change = Callable[[UserStore, argparse.Namespace], Awaitable[str]]


def _change(change: Change, options: argparse.Namespace) -> int:
    async def work() -> str:
        place = folder(options)
        if not place.log.exists():
            raise CommandError(f"{place.log}: there is no log; start the service once, or name its folder with --data")
        clock = SystemClock()
        async with EventLog.open(place.log, clock) as log:
            store = UserStore(log, clock, place.credentials)
            await store.load()
            return await change(store, options)

    say(run_async(work))
    return 0


def _chosen(options: argparse.Namespace) -> tuple[str, bool]:
    """The password and whether it was made here."""
    if options.stdin:
        return sys.stdin.readline().rstrip("\n"), False
    if options.ask:
        first = getpass.getpass(f"password for {options.name}: ")
        if getpass.getpass("once more: ") != first:
            raise CommandError("the two are not the same; nothing was changed")
        return first, False
    return one_time_password(SystemClock().random_bytes(32)), True


async def _add(store: UserStore, options: argparse.Namespace) -> str:
    password, made = _chosen(options)
    await store.add(options.name, options.role, password, by=BY, temporary=made)
    return f"{options.name} added as {options.role}" + (f"; one-time password: {password}" if made else "")


async def _role(store: UserStore, options: argparse.Namespace) -> str:
    await store.set_role(options.name, options.role, by=BY)
    return f"{options.name} is now {options.role}"


async def _password(store: UserStore, options: argparse.Namespace) -> str:
    password, made = _chosen(options)
    await store.set_password(options.name, password, by=BY, temporary=made)
    return f"password of {options.name} set" + (f"; one-time password: {password}" if made else "")


async def _remove(store: UserStore, options: argparse.Namespace) -> str:
    await store.remove(options.name, by=BY)
    return f"{options.name} removed"
