"""The web report in a browser, opened from a disk: copying, phones, paper, keyboards, names.

The report has failed cells and names that are long. Every test opens it in a tab of its own.
"""

import base64
import re
from itertools import pairwise

import pytest

from skimbal.benchmark import report
from skimbal.benchmark._html_report import html_report
from skimbal.benchmark._progress import progress_of
from skimbal.benchmark._store import Store

from .browser import Browser, Tab, needs_browser
from .test_report import fill, make_run

pytestmark = [needs_browser, pytest.mark.extended]

METHODS = ["good", "middle", "poor", "a-method-with-a-rather-long-name", *"uvw"]
SETS = [f"set{i}" for i in range(6)] + ["a_very_long_name_of_a_data_set_without_any_hyphen_in_it"]
TEXTS = [f"{kind}-{table}" for table in ("summary", "scores", "pairs") for kind in ("csv", "latex")]


def rank(cell):
    return len(METHODS) - METHODS.index(cell.method)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """The page of a run with failed cells."""
    folder = tmp_path_factory.mktemp("run")
    store = make_run(folder, METHODS, SETS, n_folds=3, n_trials=2)
    # The last method is the best: its column is the one that a phone does not show.
    fill(store, lambda cell: 0.9 - 0.05 * rank(cell) - 0.01 * SETS.index(cell.dataset))
    with store.transaction() as database:
        database.execute("UPDATE cell SET fit_mib = 10.0")
        database.execute(
            "UPDATE cell SET status = 'failed', confusion = NULL, support = '[1000, 1000]', "
            "error = 'Traceback\nValueError: no' WHERE method = 'poor' AND fold = 1"
        )
    file = folder / "report.html"
    report(folder).export(file)
    return file


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def tab(browser):
    """A window of a usual size; a test may open another one."""
    tab = Tab(browser)
    yield tab
    tab.close()


def all_values(tab, selector, expression):
    """The value of an expression in `e` for each element."""
    return tab.value(f"[...document.querySelectorAll({selector!r})].map(e => {expression})")


# ---------------------------------------------------------------- copying

# What is said of a copy stays, however long the test takes.
KEEP_COPIED = """
window.setTimeout = () => 0;
window.copied = [];
document.addEventListener("copy", () => {
  const area = document.activeElement;
  copied.push(area.value.slice(area.selectionStart, area.selectionEnd));
});
const own = navigator.clipboard;
"""
# What a browser may have, and whether the page then has to use the older way.
CLIPBOARDS = {
    "usual": "own.writeText = async (text) => { copied.push(text); };",
    "none": "Object.defineProperty(Navigator.prototype, 'clipboard', {value: undefined});",
    "forbidden": "own.writeText = () => Promise.reject(new Error('not allowed'));",
}


@pytest.mark.parametrize("clipboard", CLIPBOARDS)
def test_buttons_copy_the_texts(clipboard, tab, file):
    tab.run_first(KEEP_COPIED + CLIPBOARDS[clipboard])
    tab.open(file)
    assert tab.value("location.protocol") == "file:"
    buttons = ".tools [data-copy]"
    assert sorted(all_values(tab, buttons, "e.dataset.copy")) == sorted(TEXTS)
    for name in TEXTS:
        tab.click(f"document.querySelector('.tools [data-copy={name}]')")
    wanted = [tab.value(f"document.getElementById('{name}').value") for name in TEXTS]
    assert tab.value("copied") == wanted
    assert wanted[0].startswith("method,mean,std,")
    assert wanted[1].startswith("\\begin{table}")
    assert tab.value("document.getElementById('copied').textContent").startswith("Copied: LaTeX, ")
    assert not any(all_values(tab, ".copy details", "e.open"))
    assert tab.value("document.activeElement.dataset.copy") == TEXTS[-1]
    assert tab.complaints() == []


def test_a_text_that_can_not_be_copied_is_selected(tab, file):
    forbidden = CLIPBOARDS["none"] + "document.execCommand = () => false;"
    tab.run_first(KEEP_COPIED + forbidden)
    tab.open(file)
    tab.click("document.querySelector('.tools [data-copy=csv-scores]')")
    area = "document.getElementById('csv-scores')"
    assert tab.value(f"document.activeElement === {area}")
    assert tab.value(f"{area}.selectionEnd - {area}.selectionStart == {area}.value.length")
    assert tab.value(f"{area}.checkVisibility()")
    assert "The text is selected" in tab.value("document.getElementById('copied').textContent")


def test_what_was_copied_is_said_where_the_reader_is(tab, file):
    """And not at the top of the page, which a reader of the tables does not see."""
    tab.run_first(KEEP_COPIED + CLIPBOARDS["usual"])
    tab.open(file)
    tab.click("document.querySelector('.tools [data-copy=csv-pairs]')")
    place = "document.getElementById('copied').getBoundingClientRect()"
    assert tab.value("scrollY") > 200
    assert tab.value(f"{place}.top > 0 && {place}.bottom <= innerHeight && {place}.height > 0")


# ---------------------------------------------------------------- sizes and media


def test_a_phone_scrolls_the_tables_and_not_the_page(browser, file):
    tab = Tab(browser, 390, 844, is_phone=True)
    tab.open(file)
    assert tab.value("[innerWidth, document.documentElement.scrollWidth]") == [390, 390]
    boxes = all_values(tab, ".scroll, .chart", "[e.clientWidth, e.scrollWidth]")
    assert max(width for width, _ in boxes) < 390
    assert sum(inner > width for width, inner in boxes) >= 5
    tab.value("document.querySelectorAll('details').forEach(e => { e.open = true; })")
    assert tab.value("document.documentElement.scrollWidth") == 390
    small = all_values(tab, "button, summary", "Math.min(e.offsetHeight, e.offsetWidth)")
    assert min(size for size in small if size) >= 24  # pixels: WCAG 2.2, target size
    tab.close()


def test_paper_has_the_tables_in_full_and_nothing_to_click(browser, file):
    tab = Tab(browser, 718, 1000, dark=True)  # the width of A4 without its margins
    tab.open(file)
    media = {"name": "prefers-color-scheme", "value": "dark"}
    tab.call("Emulation.setEmulatedMedia", media="print", features=[media])
    assert tab.value("document.documentElement.scrollWidth <= 718")
    assert not any(all_values(tab, "nav, .tools, .copy, .skip, #copied", "e.checkVisibility()"))
    cut = "e.scrollHeight > e.clientHeight + 1 && getComputedStyle(e).overflowY != 'visible'"
    assert not any(all_values(tab, ".scroll", cut))
    widths = all_values(tab, "table, .chart svg", "e.getBoundingClientRect().right")
    assert max(widths) <= 718
    colors = "getComputedStyle(document.body)"
    assert tab.value(f"[{colors}.color, {colors}.backgroundColor]") == [
        *("rgb(0, 0, 0)", "rgb(255, 255, 255)")
    ]
    document = base64.b64decode(tab.call("Page.printToPDF")["data"])
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", document)) <= 8
    tab.close()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_texts_can_be_told_from_what_is_behind_them(dark, browser, file):
    """WCAG asks for a contrast of 4.5."""
    tab = Tab(browser, dark=dark)
    tab.open(file)
    colors = tab.value(
        "Object.fromEntries(['page', 'text', 'soft', 'head', 'best', 'accent', 'warn', 'bad'].map("
        "name => [name, getComputedStyle(document.body).getPropertyValue('--' + name).trim()]))"
    )
    assert luminance(colors["page"]) == pytest.approx(0.0 if dark else 1.0, abs=0.02)
    pairs = [("text", "page"), ("text", "head"), ("text", "best"), ("text", "warn")]
    pairs += [("soft", "page"), ("soft", "head"), ("soft", "best"), ("accent", "page")]
    pairs += [("accent", "head"), ("bad", "page"), ("bad", "best")]
    contrasts = {pair: contrast(*(colors[name] for name in pair)) for pair in pairs}
    assert min(contrasts.values()) >= 4.5, contrasts
    tab.close()


def luminance(color):
    """The relative luminance of a color such as #12ab34, as WCAG defines it."""
    parts = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def contrast(one, two):
    darker, lighter = sorted([luminance(one), luminance(two)])
    return (lighter + 0.05) / (darker + 0.05)


def test_the_formula_of_the_contrast():
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


# ---------------------------------------------------------------- keyboards and screen readers


def test_the_tab_key_reaches_everything_that_can_be_used_and_shows_where_it_is(tab, file):
    tab.open(file)
    tab.value("document.querySelectorAll('.copy details').forEach(e => { e.open = true; })")
    usable = "a, button, input, summary, textarea, .scroll, .chart"
    tab.value(f"window.usable = [...document.querySelectorAll({usable!r})]")
    seen = []
    for _ in range(tab.value("usable.length")):
        tab.press("Tab")
        seen.append(
            tab.value(
                "(e => [usable.indexOf(e), getComputedStyle(e).outlineStyle != 'none',"
                " e.getBoundingClientRect().right > 0])(document.activeElement)"
            )
        )
    assert seen == [[i, True, True] for i in range(len(seen))]


def test_the_keyboard_sorts_and_hides(tab, file):
    tab.open(file)
    heading = "document.querySelectorAll('#scores-table thead th')[3]"
    names = "#scores-table tbody th"
    before = all_values(tab, names, "e.textContent")
    tab.value(f"{heading}.querySelector('button').focus()")
    orders = []
    for key in ("Enter", "Space", "Enter"):
        tab.press(key)
        orders.append((tab.value(f"{heading}.ariaSort"), all_values(tab, names, "e.textContent")))
    assert [order for order, _ in orders] == ["ascending", "descending", "none"]
    assert [rows for _, rows in orders] == [before[::-1], before, before]
    tab.value("document.querySelector('[data-column=\"2\"]').focus()")
    tab.press("Space")
    shown = all_values(tab, "#scores-table thead th", "e.checkVisibility()")
    assert shown == [True, True, False, *[True] * (len(METHODS) - 2)]


def test_a_screen_reader_finds_headings_and_names(tab, file):
    tab.open(file)
    levels = [int(tag[1]) for tag in all_values(tab, "h1, h2, h3, h4, h5, h6", "e.tagName")]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(all_values(tab, "table", "e.caption && e.caption.textContent.trim() != ''"))
    assert all(all_values(tab, "th", "['row', 'col'].includes(e.scope)"))
    nodes = tab.call("Accessibility.getFullAXTree")["nodes"]
    roles = {"button", "link", "checkbox", "searchbox", "table", "region", "navigation", "image"}
    named = [
        (node["role"]["value"].replace("img", "image"), node.get("name", {}).get("value", ""))
        for node in nodes
        if not node["ignored"]
    ]
    assert {role for role, _ in named} >= roles
    assert [role for role, name in named if role in roles and not name] == []


def test_a_page_that_was_stopped_and_one_that_goes_on_are_loaded_without_complaints(tab, file):
    """The part of a live page has headings and a table of its own."""
    result, progress = report(file.parent), progress_of(Store.open(file.parent))
    live = file.parent / "live.html"
    for stopped, title in ((None, "The run goes on"), ("it was stopped", "The run was stopped")):
        text = html_report(result, progress=progress, refresh_s=1000, stopped=stopped)
        live.write_text(text, encoding="utf-8")
        tab.open(live)
        assert tab.value("document.getElementById('progress-title').textContent") == title
        assert tab.value("document.querySelectorAll('h1').length") == 1
    assert tab.complaints() == []
