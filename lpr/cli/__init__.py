"""The commands. One file a command; ``main`` joins them. May import everything but ``lpr.actors``."""
