"""Files of a report: written whole or not at all."""

import uuid
from pathlib import Path

from skimbal._utils._validation import unknown_name_message
from skimbal.benchmark._names import REPORT_KINDS


def check_has_cells(result):
    """Raise a ValueError where there is nothing to report yet."""
    if len(result.cells) == 0:
        raise ValueError(
            f"no cell of the run on {result.protocol.suite} is finished, so there is nothing to "
            "show; run `skimbal resume` on its folder first"
        )


def kind_of(file, kind=None):
    """The kind of a report, by its name or by the ending of its file.

    >>> kind_of("results.tex")
    'latex'
    """
    if kind is None:
        kinds = {ending: kind for kind, ending in REPORT_KINDS.items()}
        ending = Path(file).suffix.lower()
        if ending not in kinds:
            raise ValueError(
                f"{file} ends in {ending or 'nothing'!r}, which is no kind of report; use one of "
                f"{', '.join(kinds)}, or pass kind"
            )
        return kinds[ending]
    if kind not in REPORT_KINDS:
        raise ValueError(unknown_name_message("kind", kind, list(REPORT_KINDS)))
    return kind


def export_report(result, file, kind=None):
    """Write a report to a file, as `Report.export` says."""
    kind = kind_of(file, kind)
    check_has_cells(result)
    write_report(getattr(result, f"to_{kind}")(), Path(file))


def write_report(text, path):
    """Write the text of a report to a file; an OSError that says what to do."""
    try:
        write_all({path.name: text}, path.parent)
    except (OSError, RuntimeError) as error:  # the latter for a loop of links
        raise OSError(
            f"the report can't be written to {path} ({error}); give a file in a folder that "
            "exists and can be written"
        ) from error


def write_all(texts, folder):
    """Write files so that each is either the old or the new one; links are followed.

    Devices and pipes, such as /dev/stdout, are written to and not replaced.
    """
    paths = {folder / name: text for name, text in texts.items()}
    special = [path for path in paths if path.exists() and not (path.is_file() or path.is_dir())]
    suffix = f".{uuid.uuid4().hex}.tmp"
    targets = {path.resolve(): text for path, text in paths.items() if path not in special}
    written = [target.with_name(target.name + suffix) for target in targets]
    try:
        for path, text in zip(written, targets.values(), strict=True):
            path.write_text(text, encoding="utf-8", newline="")
        for path in special:
            path.write_text(paths[path], encoding="utf-8", newline="")
        for path, target in zip(written, targets, strict=True):
            path.replace(target)
    finally:
        for path in written:
            path.unlink(missing_ok=True)
