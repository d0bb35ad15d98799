"""Neural Labs' and VIVOTEK's sockets: servers, triggers, receivers that are dialled."""

from __future__ import annotations

from collections.abc import Sequence

from lpr.actors.neural import NeuralClientSink, NeuralServer, NeuralTriggerServer
from lpr.wiring.tools import Tools, lane_numbers


def neural_servers(tools: Tools) -> Sequence[NeuralServer | NeuralTriggerServer]:
    """Neural Labs' socket servers and trigger servers."""
    config, log, blobs, clock = tools.config, tools.log, tools.blobs, tools.clock
    lanes, offset = lane_numbers(config), config.sign.utc_offset
    servers = [
        NeuralServer(settings, log=log, blobs=blobs, clock=clock, lane_numbers=lanes, utc_offset=offset)
        for settings in config.neural_server
    ]
    triggers: list[NeuralTriggerServer] = []
    for settings in config.neural_trigger:
        camera = next(one for one in config.cameras if settings.camera in (None, one.name))
        triggers.append(
            NeuralTriggerServer(
                settings,
                shutter=tools.shutters[camera.name],
                log=log,
                blobs=blobs,
                clock=clock,
                lane=camera.lane,
                lane_numbers=lanes,
                utc_offset=offset,
            )
        )
    return (*servers, *triggers)


def receivers(tools: Tools) -> Sequence[NeuralClientSink]:
    """Every receiver of Neural Labs' messages that is dialled."""
    config, lanes = tools.config, lane_numbers(tools.config)
    return [
        NeuralClientSink(settings, blobs=tools.blobs, lane_numbers=lanes, utc_offset=config.sign.utc_offset)
        for settings in config.neural_client
    ]
