"""The engine: live delivery over websockets, an island of asyncio beside the Flask pages."""
