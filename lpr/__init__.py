"""Licence plate recognition as a library and a service."""
