"""The control API under ``/__tribe__/`` (contract 7): a developer asks and drives a local server.

Each module but ``application``, ``gate`` and ``requests`` holds some calls and lists them in its ``ROUTES``;
``application`` gathers those lists.
"""
