"""What every HTTP server of ours shares."""
