"""The SDK: REST by httpx, events by websockets; it knows the protocol and never the server.

What works here works against any server that keeps the contract, and does the best it can against one that
does not: unknown events, unknown fields and broken frames are handed on, never hidden and never fatal.
"""
