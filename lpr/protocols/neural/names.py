"""Names and texts that are safe in XML: element names made well-formed, characters that XML cannot carry taken out.

VIVOTEK's manual shows an element ``<VIVOTEK Building No.>`` for a column that the user named, which no XML parser
takes. Such names are written as .NET's XmlConvert.EncodeName does: each character that may not stand there becomes
``_xHHHH_``. Sources: XML 1.0, 2.2 and 2.3; docs/protocols/neural.md.

May import the standard library only.
"""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

_MAY_START = re.compile("[A-Z_a-zÀ-ÖØ-öø-ÿ]")
_MAY_FOLLOW = re.compile("[-.0-9A-Z_a-z·À-ÖØ-öø-ÿ]")
"""What every edition of XML 1.0 takes: the fifth allows more, and expat still holds by the fourth."""
_CODED = re.compile(r"_x([0-9A-Fa-f]{4,8})_")
_NO_TEXT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """``text`` with U+FFFD for each character that XML 1.0 cannot carry at all."""
    return _NO_TEXT.sub("\ufffd", text)


def xml_text(text: str) -> str:
    """``text`` as the content of an element. A carriage return is written so that parsers keep it."""
    return escape(clean(text), {"\r": "&#13;"})


def xml_name(name: str) -> str:
    """``name`` as an element's name, "_" for an empty one; ``plain_name`` turns it back."""
    coded = "".join(
        char if (_MAY_FOLLOW if index else _MAY_START).fullmatch(char) else f"_x{ord(char):04X}_"
        for index, char in enumerate(clean(_CODED.sub(r"_x005F_x\1_", name)))
    )
    return coded or "_"


def plain_name(name: str) -> str:
    """The name that ``xml_name`` made ``name`` from; anything else comes back as it is."""
    return _CODED.sub(_decoded, name)


def _decoded(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else match[0]
