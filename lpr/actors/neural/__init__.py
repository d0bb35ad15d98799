"""The sockets of VIVOTEK's stop-and-go cameras.

``client`` sends passages to a receiver, ``server`` to whoever connects, ``trigger`` takes pictures on request.
"""

from lpr.actors.neural.client import NeuralClientSink
from lpr.actors.neural.server import NeuralServer
from lpr.actors.neural.trigger import NeuralTriggerServer

__all__ = ["NeuralClientSink", "NeuralServer", "NeuralTriggerServer"]
