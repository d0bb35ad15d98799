"""ONVIF's services and WS-Discovery, as a device speaks them. Sans-IO and pure; what is done, operation by operation,
stands in ``docs/protocols/onvif.md``, generated from these tables.

``names``       namespaces and prefixes
``tree``        bounded XML in, XML out
``soap``        envelopes, faults

Sources: ONVIF Core, Media, Media2, Device I/O, Analytics and Imaging service specifications, Profile S, T and M
specifications, OASIS WS-Discovery 1.0 (April 2005), WS-Security UsernameToken Profile 1.0.
May import the standard library and defusedxml.
"""
