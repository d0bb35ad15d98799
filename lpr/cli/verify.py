"""``lpr verify FILE…``: are signed pictures, or a log, as they were written?

A picture is *intact* when hash and signature fit its own key, *authentic* when that key is the trusted one (``--key``).
A log (its file, or a data folder) is walked along its hash chain and its signed checkpoints.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from lpr.cli.output import CommandError, Progress, say, say_json, warn
from lpr.cli.places import open_reader, run_async
from lpr.core import chain
from lpr.core.chain import ChainReport
from lpr.folder import DataFolder
from lpr.keys import KeyProblem, TrustedKey, load_key, load_trusted
from lpr.protocols.vtr600.keys import fingerprint as fingerprint_of
from lpr.protocols.vtr600.verdict import Verdict, explain, verify

MAX_PICTURE = 256 * 1024 * 1024
"""Larger files are not read as pictures (bytes)."""

SQLITE = b"SQLite format 3\x00"


def add(commands: Any) -> None:
    """Add the command."""
    command: argparse.ArgumentParser = commands.add_parser(
        "verify", help="tell whether signed pictures or a log were altered", description=__doc__
    )
    command.add_argument("files", nargs="+", type=Path, metavar="FILE", help="JPEGs, a log's file or a data folder")
    command.add_argument(
        "--key",
        metavar="KEY",
        help="the trusted key: a PEM file, a fingerprint or a modulus in hex; a log: its PEM file",
    )
    command.add_argument("--json", action="store_true", help="one JSON object a file")
    command.set_defaults(run=_verify)


def _verify(options: argparse.Namespace) -> int:
    failed = 0
    progress = Progress("verified", len(options.files), quiet=len(options.files) < 2)
    for path in options.files:
        try:
            good = _log(path, options) if _is_log(path) else _picture(path, options, progress)
        except OSError as error:
            warn(f"{path}: can't be read: {error.strerror}")
            good = False
        failed += not good
        progress.step()
    progress.clear()
    return 1 if failed else 0


def _is_log(path: Path) -> bool:
    if path.is_dir():
        return True
    with path.open("rb") as file:
        return file.read(len(SQLITE)) == SQLITE


def _picture(path: Path, options: argparse.Namespace, progress: Progress) -> bool:
    if path.stat().st_size > MAX_PICTURE:
        raise CommandError(f"{path}: larger than {MAX_PICTURE} bytes: no picture of ours")
    verdict = verify(path.read_bytes(), _trusted(options.key))
    progress.clear()
    if options.json:
        say_json({"file": str(path), **msgspec.to_builtins(verdict)})
    else:
        first, *rest = explain(verdict)
        say(f"{path}: {first}")
        for line in rest:
            say(line)
    return _good(verdict)


def _good(verdict: Verdict) -> bool:
    return verdict.status == "intact" and verdict.authentic is not False


def _trusted(text: str | None) -> TrustedKey | None:
    try:
        return load_trusted(text) if text is not None else None
    except KeyProblem as problem:
        named = f"{text}: there is no such file, and it is no key itself: " if text and not Path(text).exists() else ""
        raise CommandError(f"--key: {named}{problem}") from None


def _log(path: Path, options: argparse.Namespace) -> bool:
    place = DataFolder(path if path.is_dir() else path.parent)
    key = _log_key(place, options.key)

    def check(fingerprint: str, text: bytes, signature: bytes) -> bool | None:
        known = key is not None and fingerprint == fingerprint_of(key.public_numbers().n)
        return _signed_by(key, text, signature) if key is not None and known else None

    async def walk() -> ChainReport:
        async with open_reader(place) as log:
            return await chain.verify(log, check)

    report = run_async(walk)
    if options.json:
        say_json({"file": str(place.log), "ok": report.ok, **msgspec.to_builtins(report)})
    else:
        status = "INTACT" if report.ok else "ALTERED"
        say(f"{place.log}: {status}: {report.records} records, {report.first} to {report.last}")
        say(f"  signed checkpoints: {report.checkpoints} good, the last one covers record {report.signed_upto}")
        for unknown in report.unknown_keys:
            say(f"  checkpoints of key {unknown[:16]}… could not be checked: give its PEM file with --key")
        for gap in report.gaps:
            say(f"  records {gap.after + 1} to {gap.before - 1} were lost to damage, as record {gap.declared_by} says")
        for problem in report.problems:
            say(f"  record {problem.seq}: {problem.text}")
        if report.problem_count > len(report.problems):
            say(f"  and {report.problem_count - len(report.problems)} more")
        say(f"  head: {report.head} (keep it elsewhere to notice a log cut short)")
    return report.ok


def _log_key(place: DataFolder, given: str | None) -> rsa.RSAPublicKey | None:
    """Whose checkpoints are to be checked: the given key's or the service's own."""
    path = Path(given) if given is not None else place.public_key
    if given is None and not path.is_file():
        return None
    try:
        data = path.read_bytes()
        key = (
            rsa.RSAPublicNumbers((private := load_key(path)).exponent, private.modulus).public_key()
            if b"PRIVATE" in data
            else serialization.load_pem_public_key(data)
        )
    except (OSError, ValueError) as problem:
        raise CommandError(f"--key {path}: a log needs a PEM file, public or private: {problem}") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise CommandError(f"--key {path}: not an RSA key")
    return key


def _signed_by(key: rsa.RSAPublicKey, text: bytes, signature: bytes) -> bool:
    try:
        key.verify(signature, text, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True
