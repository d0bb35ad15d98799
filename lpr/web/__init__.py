"""The room of the REST API and the pages: aiohttp on asyncio, nothing loaded from outside.

Start reading at ``app.build_app`` (what is mounted), then ``routes`` (how a call is described and checked).
"""
