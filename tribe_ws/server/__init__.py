"""The backend: HTTP, ASGI and JWT live here and nowhere else.

``create_app`` in ``app`` wires it, ``run_server`` in ``serve`` runs it in the foreground, ``LocalServer`` in
``local`` runs it inside a test or a demo.
"""
