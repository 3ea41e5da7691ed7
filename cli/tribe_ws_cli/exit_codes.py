"""What an exit code means; which error gets which is chosen in ``diagnostics``."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of every command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    CONFIGURATION = 3
    NOT_AUTHENTICATED = 4
    CANNOT_CONNECT = 5
    CONNECTION_LOST = 6
    WAITED_IN_VAIN = 7
    CONTRACT_VIOLATED = 8
    EXPECTATION_FAILED = 9
    INTERRUPTED = 130
    TERMINATED = 143


MEANINGS: dict[ExitCode, str] = {
    ExitCode.DONE: "done",
    ExitCode.FAILED: "failed; if it is a bug, the message names the log",
    ExitCode.USAGE: "wrong usage, a name that means nothing here, or needs a terminal",
    ExitCode.CONFIGURATION: "a setting, a profile or a file is unusable",
    ExitCode.NOT_AUTHENTICATED: "not logged in, expired or rejected (401, 403, 4401, 4403)",
    ExitCode.CANNOT_CONNECT: "cannot connect (refused, DNS, TLS, proxy, handshake not 101)",
    ExitCode.CONNECTION_LOST: "connection lost, or closed with an error code",
    ExitCode.WAITED_IN_VAIN: "waited in vain",
    ExitCode.CONTRACT_VIOLATED: "the contract was violated",
    ExitCode.EXPECTATION_FAILED: "an expectation failed",
    ExitCode.INTERRUPTED: "stopped by Ctrl+C",
    ExitCode.TERMINATED: "stopped by TERM, or by the end of its terminal",
}
