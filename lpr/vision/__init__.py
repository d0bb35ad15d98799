"""Pure functions on arrays: detection, rectification, reading, the engine that joins them, and the models."""
