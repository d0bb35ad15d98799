"""A verdict in sentences, for the commands and the page. Imports only this folder."""

from __future__ import annotations

from lpr.protocols.vtr600.verdict import Verdict


def explain(verdict: Verdict) -> list[str]:
    """The verdict in sentences, a line each; the first one says it all."""
    if verdict.status == "unreadable":
        return [f"UNREADABLE: {verdict.reason}"]
    if verdict.status == "unsigned":
        return ["UNSIGNED: the picture has no signature"]
    lines: list[str] = []
    if verdict.status == "intact":
        if verdict.authentic:
            lines.append("INTACT and AUTHENTIC: as it was signed, with the trusted key")
        elif verdict.authentic is None:
            lines.append("INTACT: as it was signed; whether it is authentic only a trusted key can tell (--key)")
        else:
            lines.append("INTACT but NOT AUTHENTIC: signed with another key than the trusted one")
        if verdict.variant is not None and not verdict.variant.ours:
            v = verdict.variant
            lines.append(f"  signed in a foreign way: {v.text}; {v.padding}; removed before hashing: {v.removal}")
    else:
        lines.append("ALTERED: not as it was signed")
    for change in verdict.changes:
        where = f" (byte {change.at})" if change.at is not None else ""
        name = change.what if change.what == "picture data" else f"{change.what} {change.name}"
        lines.append(f"  {name}: {change.how}{where}")
    if verdict.reason:
        lines.append(f"  {verdict.reason}")
    if verdict.key:
        lines.append(f"  key in the file: {verdict.bits} bits, fingerprint {verdict.key}")
    if verdict.trusted is not None and verdict.trusted != verdict.key:
        lines.append(f"  trusted key: fingerprint {verdict.trusted}")
    return lines
