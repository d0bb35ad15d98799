"""What every HTTP server of ours shares: connections under control, listening, TLS. asyncio only."""
