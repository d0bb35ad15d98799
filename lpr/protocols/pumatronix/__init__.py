"""Pumatronix's addresses (``/api/…``), as cameras of the ITSCAM and VTR families have them: requests, answers, tokens.

``cgi``         pictures: what is asked for, and several of them in one answer
``documents``   the settings and states that are read and written as JSON
``operations``  what there is of the maker's API: done, partly, or not and why
``tokens``      the bearer tokens that a log-in gives

Sources: VTR600 manual (what the device does); the maker's public SDK documentation and its published data types
(addresses, parameters, names of fields, boundaries). Neither is complete, and nothing here was tried against the
maker's own programs; docs/protocols/pumatronix.md says what is unverified. All pure: no socket, no clock.
"""
