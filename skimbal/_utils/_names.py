"""The error for an unknown name. It needs the standard library only, so that it comes at once."""

import difflib


def unknown_name_message(kind, name, known):
    """Return the text of the error for an unknown name, with similar known names.

    >>> unknown_name_message("loss", "focl", ["focal", "dice"])
    "unknown loss 'focl'; did you mean 'focal'? Known: 'dice', 'focal'"
    """
    known = sorted(known)
    close = difflib.get_close_matches(str(name), known, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else "."
    return f"unknown {kind} {name!r}{hint} Known: {', '.join(map(repr, known))}"
