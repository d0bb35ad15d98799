"""Formats of each country as data, and decoding under their grammar. Pure; imports events' value types alone."""
