"""What the gate remembers of one source, folded from the log when the engine starts.

The scene is a function of what was recorded and of nothing else (``lpr.plates.gate``), so a run that goes on after a
kill records what the uninterrupted one would have. A Baseline now and then keeps the fold short.
May import ``lpr.core`` and ``lpr.plates``.
"""

from __future__ import annotations

import msgspec

from lpr.core.reader import Readable
from lpr.events import Baseline, CaptureTaken, Event, FramesPassed, Micros, PlateRead, SourceOpened
from lpr.plates.gate import GateRules, Scene, marked, recorded
from lpr.plates.voting import Rules

STATE_VERSION = 1
PAGE = 2000
_TYPES = frozenset(event.__name__ for event in (SourceOpened, CaptureTaken, PlateRead, FramesPassed))


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """``base``: of the recorded source that the scene belongs to, None for a live one."""

    base: Micros | None = None
    scene: Scene = Scene()


class MemoryFold:
    """Folds the events of one source in log order; a capture counts when its readings are all there."""

    def __init__(self, source: str, rules: Rules, gate: GateRules, memory: Memory | None = None) -> None:
        self.memory = memory or Memory()
        self._source = source
        self._rules = rules
        self._gate = gate
        self._capture: CaptureTaken | None = None
        self._reads: list[PlateRead] = []

    def add(self, event: Event) -> None:
        """One more event; those of other sources are passed over."""
        match event:
            case PlateRead() if event.source == self._source:
                self._reads.append(event)
            case CaptureTaken() if event.source == self._source:
                self.settle()
                self._capture = event
            case FramesPassed() if event.source == self._source:
                self.settle()
                scene = marked(self.memory.scene, event, self._rules, self._gate)
                self.memory = msgspec.structs.replace(self.memory, scene=scene)
            case SourceOpened() if event.source == self._source and event.kind in ("file", "folder"):
                self.settle()
                self.begin(event.base)
            case _:
                return

    def begin(self, base: Micros) -> None:
        """A recorded source with this base: another one than before has nothing to do with what was seen."""
        if self.memory.base != base:
            self.memory = Memory(base=base)

    def settle(self) -> None:
        """The last capture's readings are complete."""
        if self._capture is not None:
            scene = recorded(self.memory.scene, self._capture, self._reads, self._rules, self._gate)
            self.memory = msgspec.structs.replace(self.memory, scene=scene)
        self._capture, self._reads = None, []


async def recover(actor: str, source: str, log: Readable, rules: Rules, gate: GateRules) -> MemoryFold:
    """The memory of ``source`` from the latest Baseline of ``actor`` and what was recorded since."""
    memory, position = Memory(), 0
    record = await log.baseline(actor)
    event = record.event if record is not None else None
    if isinstance(event, Baseline) and event.state_version == STATE_VERSION:
        try:
            memory, position = msgspec.json.decode(event.state, type=Memory), event.upto
        except msgspec.MsgspecError:
            memory, position = Memory(), 0
    fold = MemoryFold(source, rules, gate, memory)
    while page := await log.read(position, types=_TYPES, limit=PAGE):
        for each in page:
            fold.add(each.event)
        position = page[-1].seq
    fold.settle()
    return fold


def baseline_of(actor: str, memory: Memory, upto: int) -> Baseline:
    """The Baseline of ``memory`` after the record ``upto``."""
    state = msgspec.Raw(msgspec.json.encode(memory))
    return Baseline(actor=actor, state_version=STATE_VERSION, upto=upto, state=state)
