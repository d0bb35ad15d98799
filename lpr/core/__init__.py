"""The event log and the actors' loop: what every subsystem stands on. May import ``lpr.events`` only."""
