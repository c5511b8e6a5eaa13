"""``--tiny``: a run of some seconds, which shows that a script still works."""

import sys


def parse_arguments(parser, script, **tiny):
    """Return the parsed options of a script, which gets the option ``--tiny``.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        With all other options.
    script : dict
        The script's `globals()`.
    **tiny
        With ``--tiny``, the defaults of options (lower case) and the constants of the script (upper
        case) are replaced by these.
    """
    parser.add_argument("--tiny", action="store_true", help="run for seconds, to see that it works")
    if "--tiny" in sys.argv[1:]:
        constants = {name: value for name, value in tiny.items() if name.isupper()}
        unknown = [name for name in constants if name not in script]
        assert not unknown, f"the script has no constants {unknown}"
        script.update(constants)
        parser.set_defaults(**{name: value for name, value in tiny.items() if name.islower()})
    return parser.parse_args()


def first(table, n=1):
    """The first entries of a dict, list or tuple."""
    return dict(list(table.items())[:n]) if isinstance(table, dict) else table[:n]
