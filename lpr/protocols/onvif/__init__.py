"""ONVIF's services and WS-Discovery, as a device speaks them. Sans-IO and pure; what is done, operation by operation,
stands in ``docs/protocols/onvif.md``, generated from these tables.

``names``, ``tree``              namespaces and prefixes; bounded XML in, XML out
``soap``, ``security``           envelopes and faults; the UsernameToken
``operations``, ``tables``       what an operation is and who may call it; all services together
``model``                        the device, its sources and streams, as the services are told about them
``device``, ``device_network``, ``device_scopes``   the device service
``media``, ``media2``            both media services; ``media_answers`` (handlers), ``media_common`` (finding, refusing)
                                 and ``configurations`` (elements) are what they share
``device_io``, ``imaging``, ``analytics``   one service each
``discovery``                    WS-Discovery
``client``                       the other end, for ``lpr listen``

Sources: ONVIF Core, Media, Media2, Device I/O, Analytics and Imaging service specifications, Profile S, T and M
specifications, OASIS WS-Discovery 1.0 (April 2005), WS-Security UsernameToken Profile 1.0.
May import the standard library and defusedxml.
"""
