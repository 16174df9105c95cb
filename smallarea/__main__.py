"""The command line's way in: an interrupt at any moment ends it with code 130 and no traceback."""

import os
import signal
import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line."""
    try:
        from smallarea.cli import main as command

        command()
    except KeyboardInterrupt:
        _interrupted()
    except SystemExit as ended:
        if ended.code == INTERRUPTED:
            _interrupted()
        raise
    finally:
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # Python's own end leaves nothing behind


def _interrupted() -> None:
    """Say so and end.

    At once: Python would end by the signal itself, instead of with a code, if the interrupt came
    while it was executing a string, as some imports do.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    told = "interrupted; finished stages are kept and the next run goes on from there"
    print(told, file=sys.stderr, flush=True)
    sys.stdout.flush()
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
