"""Becomes another program, after tying its own life to that of the process that started it.

Run as a script, ``tether.py PARENT_PID COMMAND...``, never imported. It is a program and not a
``preexec_fn`` because Python code between fork and exec can deadlock in a process with threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        # Survives the exec below: the kernel keeps it for any program that is not set-uid.
        if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
            raise SystemExit(f"prctl failed: {os.strerror(ctypes.get_errno())}")
        # A parent that died before the call above sends no signal any more.
        if os.getppid() != parent:
            raise SystemExit("the parent is gone")
    try:
        os.execv(command[0], command)  # noqa: S606 - what to run is the caller's own choice
    except OSError as error:
        raise SystemExit(f"cannot run {command[0]}: {error.strerror}") from None


if __name__ == "__main__":
    main()
