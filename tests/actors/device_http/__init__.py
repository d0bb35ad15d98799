"""The device's HTTP server and its parts."""
