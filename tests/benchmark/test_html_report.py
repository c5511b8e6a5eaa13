"""The report as a web page, as LaTeX and as Markdown: read again by parsers."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from skimbal.benchmark import _html_report, cli, report
from skimbal.benchmark._completion import completion_script
from skimbal.benchmark._html_charts import cost_chart, spread_labels
from skimbal.benchmark._names import REPORT_KINDS
from skimbal.benchmark._parser import make_parser
from skimbal.benchmark._report_markdown import markdown_table

from .test_report import fill, make_run

SCORES = {"good": 0.9, "middle": 0.8, "poor": 0.6}
SETS = [f"set{i}" for i in range(8)]
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&$_{x}$|"
VOID = {"meta", "input"}


class Page(HTMLParser):
    """Elements of a page: tag, attributes and the text inside, in the order of their ends."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.open = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        entry = (tag, dict(attrs), [])
        self.elements.append(entry)
        if tag not in VOID:
            self.open.append(entry)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), []))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        for _, _, texts in self.open:
            texts.append(data)

    def all(self, tag, **wanted):
        return [
            (attrs, " ".join("".join(texts).split()))
            for name, attrs, texts in self.elements
            if name == tag and wanted.items() <= attrs.items()
        ]

    def text(self, tag, **wanted):
        return [text for _, text in self.all(tag, **wanted)]


def score_of(cell):
    """The order of the methods is that of `SCORES` everywhere; folds and trials differ a little."""
    return SCORES[cell.method] + 0.01 * int(cell.dataset[-1]) - 0.002 * (cell.fold + cell.trial)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    fill(make_run(folder, list(SCORES), SETS, n_folds=3, n_trials=2), score_of)
    return folder


@pytest.fixture(scope="module")
def result(folder):
    return report(folder)


@pytest.fixture(scope="module")
def text(result):
    return result.to_html()


@pytest.fixture(scope="module")
def page(text):
    page = Page(text)
    assert not page.open
    return page


def tables(page):
    """Rows of texts of each table."""
    found = []
    for tag, _, texts in page.elements:
        content = " ".join("".join(texts).split())
        if tag == "table":
            found.append([])
        elif tag == "tr":
            found[-1].append([])
        elif tag in ("th", "td"):
            found[-1][-1].append(content)
    return found


def test_the_page_says_what_was_asked_and_what_came_out(page):
    question = "Which of 3 methods has the best G-mean on 8 data sets of s?"
    assert page.text("h1") == page.text("title")[:1] == [question]
    (answer,) = page.text("p", **{"class": "answer"})
    assert answer.startswith("good has the best average rank, 1.00 of 3, with a mean of 0.9")
    assert answer.endswith("The methods differ significantly at 5 % (Friedman, p = 0.000335).")
    facts = dict(zip(page.text("dt"), page.text("dd"), strict=True))
    assert facts["folds"] == "3, stratified"
    assert facts["methods"] == "good, middle, poor"


def test_the_tables_have_the_numbers_of_the_report(page, result):
    summary, scores, pairs = tables(page)
    assert [row[0] for row in summary] == ["method", "good", "middle", "poor"]
    assert [row[0] for row in scores] == ["data set", *SETS, "mean of 8"]
    for row in scores[1:-1]:
        expected = result.wide().loc[row[0]].tolist()
        shown = [re.sub(r" \(best\)", "", text) for text in row[1:]]
        assert [re.sub(r" ± ([\d.]+)", r" (\1)", text) for text in shown] == expected
    assert all("(best)" in row[1] and "(best)" not in row[2] + row[3] for row in scores[1:])
    assert pairs[1] == ["good", "–", "8 / 0 / 0", "8 / 0 / 0"]
    assert pairs[3] == ["poor", "0 / 8 / 0", "0 / 8 / 0", "–"]


def test_tables_are_tables_for_a_screen_reader(page, text):
    assert {attrs.get("scope") for attrs, _ in page.all("th")} == {"row", "col"}
    assert len(page.all("caption")) == len(page.all("table"))
    regions = page.all("div", role="region")
    assert all(attrs["aria-label"] and attrs["tabindex"] == "0" for attrs, _ in regions)
    assert 'setAttribute("aria-sort"' in text
    labeled = [attrs for attrs, _ in page.all("svg", role="img")]
    assert len(labeled) == 1 + len(SETS)
    assert all(attrs["aria-label"] for attrs in labeled)
    assert len(page.all("label")) == 1 + len(SCORES)
    assert page.all("html")[0][0]["lang"] == "en"
    ids = [attrs["id"] for _, attrs, _ in page.elements if "id" in attrs]
    assert len(set(ids)) == len(ids)
    targets = {attrs["href"] for attrs, _ in page.all("a")}
    assert {target.removeprefix("#") for target in targets} <= set(ids)


def test_the_page_says_which_memory_can_be_compared(result):
    cells = result.cells.assign(fit_mib=10.0)
    with_memory = replace(result, cells=cells, summary=result.summary.assign(fit_mib=10.0))
    page = Page(with_memory.to_html())
    said = "not with that of methods whose cells are trained one by one."
    assert page.text("p", id="summary-legend")[0].endswith(said)
    first = page.all("table", **{"class": "sortable"})[0][0]
    assert first["aria-describedby"] == "summary-legend"
    captions = [text for text in page.text("figcaption") if "largest memory" in text]
    assert len(captions) == 1
    assert captions[0].endswith(said)
    assert said in with_memory.to_markdown()


def test_numbers_carry_what_the_script_sorts_by(page, result):
    means = result.means()
    keys = [float(attrs["data-key"]) for attrs, _ in page.all("td") if attrs.get("data-key")]
    n_summary = len(keys) - means.size - len(SCORES)
    np.testing.assert_array_equal(keys[n_summary : -len(SCORES)], means.to_numpy().ravel())


def test_nothing_comes_from_elsewhere(page, text):
    assert "http" not in text.replace("http-equiv", "")
    for _, attrs, _ in page.elements:
        assert not {"src", "srcset", "data", "action"} & set(attrs)
        assert all(attrs.get(name, "#").startswith("#") for name in ("href", "xlink:href"))
    assert "@import" not in text
    assert set(re.findall(r"url\(\s*['\"]?(.)", text)) <= {"#"}
    (policy,) = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
    assert policy[0]["content"].startswith("default-src 'none';")


def test_the_policy_allows_the_script_of_the_page_alone(page, text):
    assert len(page.all("script")) == 1
    script = re.search("<script>(.*)</script>", text, re.DOTALL)[1]
    assert script == _html_report._asset("report.js")
    assert _html_report.checksum_of(script) in text


def test_the_same_run_gives_the_same_page(folder, text):
    assert report(folder).to_html() == text


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Names and errors that try to become elements."""
    folder = tmp_path_factory.mktemp("hostile")
    methods, sets = [HOSTILE, "b", "c"], [HOSTILE, "two"]
    store = make_run(folder, methods, sets)
    fill(store, lambda cell: 0.5 + 0.1 * methods.index(cell.method))
    with store.transaction() as database:
        database.execute(
            "UPDATE cell SET status = 'failed', confusion = NULL, support = '[1000, 1000]', "
            "error = ?, warnings = ?, n_warnings = 1 WHERE method = 'b' AND fold = 1",
            (f"Traceback (most recent call last):\n{HOSTILE}", json.dumps({f"{HOSTILE}: text": 1})),
        )
    return report(folder, control="c")


def test_names_and_errors_of_a_run_stay_texts(hostile):
    text = hostile.to_html()
    page = Page(text)
    assert not page.open
    assert len(page.all("script")) == 1
    assert not page.all("img")
    assert not [a for _, attrs, _ in page.elements for a in attrs if a.startswith("on")]
    assert HOSTILE in page.text("th", scope="row")
    assert HOSTILE in page.text("h3")
    assert any(HOSTILE in cell for cell in page.text("td"))
    assert HOSTILE in "".join(page.text("textarea", id="csv-summary")).replace('""', '"')


def test_markdown_and_latex_escape_names(hostile):
    markdown = hostile.to_markdown()
    assert "<script" not in markdown
    blocks = [block.split("\n") for block in markdown.split("\n\n") if block.startswith("|")]
    for rows in blocks:
        assert len({row.replace("\\|", "").count("|") for row in rows}) == 1
    latex = re.sub("^%.*$", "", hostile.to_latex(), flags=re.MULTILINE)
    assert "\\$\\_\\{x\\}\\$" in latex
    assert "$_" not in latex


def test_failures_are_listed_with_their_errors(hostile):
    page = Page(hostile.to_html())
    (failed, warned) = tables(page)[-2:]
    assert failed[1][0] == "b"
    assert failed[1][1] == f"2: {HOSTILE} fold 1 trial 0, two fold 1 trial 0"
    assert failed[1][2].startswith(HOSTILE)
    assert warned[1] == [
        "b",
        "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&$_{x}$|",
        "2",
    ]
    assert sum("1 failed" in cell for cell in page.text("td")) == 2


def test_one_method_and_unfinished_runs_have_less_to_show(tmp_path):
    fill(make_run(tmp_path / "one", ["m"], ["a", "b"]), lambda cell: 0.5)
    page = Page(report(tmp_path / "one").to_html())
    assert page.text("h1") == ["G-mean of m on 2 data sets of s"]
    assert not page.all("section", id="pairs")
    fill(
        make_run(tmp_path / "part", ["m", "k"], ["a"]),
        lambda cell: None if cell.method == "k" and cell.fold == 1 else 0.5,
    )
    page = Page(report(tmp_path / "part").to_html())
    assert page.text("p", **{"class": "answer"}) == [
        "No data set is complete for every method, so the methods are not ranked."
    ]
    assert any(note.startswith("INCOMPLETE") for note in page.text("li"))


def test_without_matplotlib_the_ranks_are_in_the_table_alone(result, monkeypatch):
    def missing(draw, figsize):
        raise ImportError("drawing needs matplotlib; pip install matplotlib")

    monkeypatch.setattr(_html_report, "svg_of", missing)
    text = Page(result.to_html()).text("section", id="ranks")[0]
    assert "The diagram is left out: drawing needs matplotlib" in text


def test_latex_has_the_numbers_and_bold_marks(result):
    text = result.to_latex()
    assert text.startswith("% g_mean on 8 data sets of s: 3 stratified folds, 2 trials, seed 0\n")
    mean, std = result.wide().loc["set0", "good"].split()
    assert f"set0 & \\textbf{{{mean} {std}}} & " in text
    assert text.count("\\begin{longtable}") == 1
    assert text.count("\\begin{table}") == 2
    assert "8 / 0 / 0" in text


@pytest.mark.parametrize("kind", ["html", "latex", "markdown"])
def test_export_writes_each_kind(kind, result, tmp_path):
    file = tmp_path / f"report{REPORT_KINDS[kind]}"
    result.export(file)
    assert file.read_text(encoding="utf-8") == getattr(result, f"to_{kind}")()
    other = tmp_path / "no_ending"
    result.export(other, kind)
    assert other.read_bytes() == file.read_bytes()


def test_a_pipe_is_written_to_and_not_replaced(result, tmp_path):
    """So is a device; a file in its place would be there for all programs."""
    pipe = tmp_path / "pipe.md"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        result.export(pipe)
        assert pipe.is_fifo()
        assert os.read(reader, 1 << 16).decode() == result.to_markdown()
    finally:
        os.close(reader)
    assert list(tmp_path.iterdir()) == [pipe]


@pytest.mark.parametrize(
    ("file", "kind", "error", "message"),
    [
        ("report.docx", None, ValueError, r"ends in '.docx', which is no kind of report"),
        ("report", None, ValueError, r"ends in 'nothing'"),
        ("report.html", "htlm", ValueError, "unknown kind 'htlm'; did you mean 'html'"),
        ("missing/report.html", None, OSError, "can't be written to .*give a file in a folder"),
        (".", "html", OSError, "can't be written"),
    ],
)
def test_files_that_cannot_be_written(file, kind, error, message, result, tmp_path):
    with pytest.raises(error, match=message):
        result.export(tmp_path / file, kind)
    assert not list(tmp_path.iterdir())


def test_a_run_without_cells_has_no_page(tmp_path):
    make_run(tmp_path / "run", ["m", "k"], ["a"])
    result = report(tmp_path / "run")
    for make in (result.to_html, result.to_latex, lambda: result.export(tmp_path / "x.md")):
        with pytest.raises(ValueError, match="no cell of the run on s is finished"):
            make()
    assert not (tmp_path / "x.md").exists()


def test_labels_keep_their_distance_and_their_order():
    wanted = np.array([5.0, 100.0, 6.0, 98.0, 50.0, 5.5])
    heights = spread_labels(wanted, 10.0, 0.0, 100.0)
    order = np.argsort(wanted, kind="stable")
    assert (np.diff(heights[order]) >= 10.0 - 1e-9).all()
    assert heights.min() >= 0.0
    assert heights.max() <= 100.0


def test_a_chart_of_costs_has_each_method_inside_its_axes(result):
    summary = result.summary.assign(fit_seconds=[0.02, 3.0, 40.0])
    chart = cost_chart(summary, "fit_seconds", "s")
    assert [point.method for point in chart.points] == list(summary.index)
    assert [tick.text for tick in chart.x_ticks] == ["0.01 s", "0.1 s", "1 s", "10 s", "100 s"]
    xs, ys = [p.x for p in chart.points], [p.y for p in chart.points]
    assert xs == sorted(xs)
    assert chart.x_ticks[0].position < xs[0] < xs[-1] < chart.x_ticks[-1].position
    assert ys == sorted(ys)  # the best mean is the first, and is on top
    assert chart.y_ticks[0].position > max(ys) > min(ys) > chart.y_ticks[-1].position
    assert cost_chart(summary.assign(fit_seconds=np.nan), "fit_seconds", "s") is None


def test_markdown_tables_escape_bars(result):
    table = result.wide().rename(columns={"good": "a|b"})
    assert markdown_table(table).split("\n")[0] == "| dataset | a\\|b | middle | poor |"


# ------------------------------------------------------------ the command


def test_the_command_writes_the_kinds_that_it_is_asked_for(folder, text, tmp_path, capsys):
    page, table = tmp_path / "page.html", tmp_path / "table.tex"
    assert cli.main(["report", str(folder), "--html", str(page), "--latex", str(table)]) == 0
    printed = capsys.readouterr().out
    assert printed.endswith(f"Written to {page}\nWritten to {table}\n")
    assert page.read_text(encoding="utf-8") == text
    assert "\\begin{longtable}" in table.read_text(encoding="utf-8")
    assert cli.main(["report", str(folder), "--markdown", str(table), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metric"] == "g_mean"
    assert table.read_text(encoding="utf-8").startswith("# g_mean on 8 data sets")


@pytest.mark.parametrize(
    ("run", "file", "message"),
    [
        ("nowhere", "page.html", "has no results.sqlite"),
        ("empty", "page.html", "no cell of the run on s is finished"),
        ("full", "missing/page.html", "can't be written to"),
    ],
)
def test_mistakes_of_the_command_are_one_line(run, file, message, folder, tmp_path, capsys):
    make_run(tmp_path / "empty", ["m"], ["a"])
    out = folder if run == "full" else tmp_path / run
    assert cli.main(["report", str(out), "--html", str(tmp_path / file)]) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""
    assert not (tmp_path / file).exists()


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_the_options_are_completed(shell):
    script = completion_script(make_parser(), shell)
    for kind in REPORT_KINDS:
        assert f"--{kind}" in script if shell == "bash" else f"-l {kind} -r" in script


# ------------------------------------------------------------ in a browser

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium")


def dumped(text, folder):
    """The page as a browser has it after its scripts, and what it wrote to its log."""
    file = folder / "page.html"
    file.write_text(text, encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'user'}"]
    run = subprocess.run(
        [BROWSER, *options, "--enable-logging=stderr", "--dump-dom", file.as_uri()],
        capture_output=True,
        text=True,
        timeout=600,
    )
    return run.stdout, [line for line in run.stderr.splitlines() if "CONSOLE" in line]


@needs_browser
@pytest.mark.slow
def test_a_browser_runs_the_script_of_the_page_and_no_other(text, tmp_path):
    other = "<script>document.title = 'changed'</script></body>"
    dom, log = dumped(text.replace("</body>", other), tmp_path)
    assert "<title>Which of 3 methods" in dom
    assert dom.count('aria-sort="none"') == 14 + 4  # headings of the summary and of the scores
    assert "hidden" not in re.search('<div class="tools"[^>]*>', dom)[0]
    assert len(log) == 1  # the script that was refused
    assert "Content Security Policy" in log[0]


ACTIONS = """<script>
const seen = [];
const shown = (cells) => [...cells].filter((cell) => !cell.hidden);
const names = () => shown(scores.tBodies[0].rows).map((row) => row.cells[0].textContent);
const heading = scores.tHead.rows[0].cells[3];
for (const turn of [1, 2, 3]) {
  heading.querySelector("button").click();
  seen.push([heading.getAttribute("aria-sort"), ...names()].join(" "));
}
filter.value = "SET3";
filter.dispatchEvent(new Event("input"));
seen.push(document.getElementById("shown").textContent, names().join(" "));
document.querySelector("[data-column='2']").click();
seen.push(shown(scores.tHead.rows[0].cells).length);
const output = document.createElement("output");
output.textContent = seen.join(";");
document.body.append(output);
</script></body>"""


@needs_browser
@pytest.mark.slow
def test_a_browser_sorts_filters_and_hides(text, tmp_path):
    page = re.sub("<meta http-equiv[^>]*>", "", text).replace("</body>", ACTIONS)
    dom, log = dumped(page, tmp_path)
    assert log == []
    up = " ".join(SETS)
    down = " ".join(reversed(SETS))
    assert re.search("<output>(.*)</output>", dom)[1].split(";") == [
        *[f"ascending {up}", f"descending {down}", f"none {up}"],
        *["1 of 8 data sets shown", "set3", "3"],
    ]
