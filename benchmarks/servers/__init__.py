"""The servers under test: ours, a plain FastAPI one, and the raw limit. Each runs in a process of its own.

All of them speak the same dialect: ``/api/v1/ws`` greets, a ``subscribe`` is answered by ``subscribed``, and
``POST /api/v1/conversations/{id}/messages`` stores, answers 201 and broadcasts.
"""
