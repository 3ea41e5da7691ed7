"""What all tests share; fixtures that need a running server are in ``tests/contract``."""

from __future__ import annotations

import hypothesis

# A loaded machine is no failure of the code: examples have no deadline each, the test has one.
hypothesis.settings.register_profile("tribe", deadline=None)
hypothesis.settings.load_profile("tribe")
