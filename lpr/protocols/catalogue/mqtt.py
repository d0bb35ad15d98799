"""MQTT. May import this room."""

from __future__ import annotations

from lpr.protocols.catalogue.fact import Proof, ProtocolFact

FACTS = (
    ProtocolFact(
        name="MQTT 3.1.1 and 5: passages, status, ONVIF onvif-ej",
        role="client",
        section="mqtt",
        port="port",
        transport="TCP, TLS",
        authentication="user and password, client certificate",
        encryption="TLS, verified (on by default)",
        source="OASIS MQTT 3.1.1 and 5.0; ONVIF Core (event broker); schemas/mqtt.json",
        page="mqtt.md",
        verified=(
            Proof("Mosquitto, mosquitto_sub", "tests/e2e/test_mqtt.py::test_what_a_subscriber_gets"),
            Proof(
                "Mosquitto: down and up again", "tests/e2e/test_mqtt.py::test_nothing_is_lost_while_the_broker_is_down"
            ),
            Proof("Mosquitto: TLS, client certificate", "tests/e2e/test_mqtt.py::test_tls_with_a_client_certificate"),
            Proof("mosquitto_sub: onvif-ej", "tests/e2e/test_mqtt.py::test_onvif_events_have_their_topic"),
        ),
        unverified=(
            "other brokers (EMQX, HiveMQ, RabbitMQ, AWS IoT)",
            "other makers' onvif-ej clients",
        ),
    ),
    ProtocolFact(
        name="Home Assistant MQTT discovery",
        role="client",
        section="mqtt",
        port="port",
        transport="TCP, TLS",
        authentication="as MQTT",
        encryption="as MQTT",
        source="Home Assistant documentation, MQTT",
        page="mqtt.md",
        verified=(
            Proof("Mosquitto: retained and cleared", "tests/e2e/test_mqtt.py::test_a_camera_that_is_gone_disappears"),
        ),
        unverified=("Home Assistant itself",),
    ),
)
