"""``lpr``: the entry point. Each command module offers ``add(commands)`` and sets ``run`` to its function."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib import metadata
from typing import NoReturn

from lpr.cli import config, listen, log, read, replay, run, user, verify
from lpr.cli.output import CommandError, warn
from lpr.settings import ConfigError

COMMANDS = (run, read, log, replay, verify, config, user, listen)


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="lpr",
        description="Licence plate recognition: a service, its protocols, and tools to look into what it saw.",
        epilog="`lpr demo` shows everything with no configuration. Exit codes: 0 all well, 1 something was found"
        " wrong (an unreadable image, an altered file), 2 the command can't be carried out.",
    )
    top.add_argument("--version", action="version", version=f"lpr {metadata.version('lpr')}")
    commands = top.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    for module in COMMANDS:
        module.add(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. Expected faults end as one line on standard error."""
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except CommandError as error:
        warn(str(error))
        return error.status
    except ConfigError as error:
        warn(str(error))
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output has gone (`lpr log | head`): not an error, but nothing more may be written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def entry() -> None:
    """The console script."""
    leave(main())


def leave(status: int) -> NoReturn:
    """End the process.

    A thread that was given up (a camera that doesn't answer, a hung engine) may still be inside a library. The
    interpreter's own end would stop it there, which C++ answers with an abort; so the process then ends at once.
    Everything durable is on the disk by now.
    """
    if any(thread.daemon for thread in threading.enumerate()):
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        with suppress(OSError, ValueError):
            sys.stderr.flush()
        os._exit(status)
    sys.exit(status)
