"""One file (or folder) a subsystem. Actors know the log, never each other; ``lpr.service`` alone wires them."""
