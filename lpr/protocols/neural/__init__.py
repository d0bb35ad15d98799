"""Socket messages of VIVOTEK's stop-and-go cameras, whose recognition is Neural Labs': ``infoplate`` and the trigger.

Source: the manual of VIVOTEK's camera names the actions and formats; the formats themselves stand in figures that its
text lost, so they come from Neural Labs' own integration document. What is inferred stands in docs/protocols/neural.md,
and each such choice can be configured. Everything here is sans-IO and pure.

``record``    an infoplate: its fields in the order of the wire
``names``     element names and texts that XML can carry
``encoding``  an infoplate as XML or JSON, full or short, framed or not
``decoding``  a document read, with what deviates from the documents named
``stream``    a connection's bytes cut into messages
``template``  the macros of texts that users write
``trigger``   the trigger server: its message, its period, its answers
``passage``   a passage or a reading as an infoplate

May import ``lpr.events``, ``msgspec``, ``defusedxml`` and the standard library.
"""

from lpr.protocols.neural.decoding import Broken, Message, Received, decode_json, decode_xml
from lpr.protocols.neural.encoding import MessageFormat, Style, encode, encode_as
from lpr.protocols.neural.passage import Wording, record_of_nothing, record_of_passage, record_of_reading
from lpr.protocols.neural.record import Evidence, Infoplate
from lpr.protocols.neural.stream import MessageReader, ProtocolError
from lpr.protocols.neural.template import MACROS, fill, unknown_macros
from lpr.protocols.neural.trigger import AnswerFormat, Discarded, Period, Trigger, TriggerReader, encode_answer

__all__ = [
    "MACROS",
    "AnswerFormat",
    "Broken",
    "Discarded",
    "Evidence",
    "Infoplate",
    "Message",
    "MessageFormat",
    "MessageReader",
    "Period",
    "ProtocolError",
    "Received",
    "Style",
    "Trigger",
    "TriggerReader",
    "Wording",
    "decode_json",
    "decode_xml",
    "encode",
    "encode_answer",
    "encode_as",
    "fill",
    "record_of_nothing",
    "record_of_passage",
    "record_of_reading",
    "unknown_macros",
]
