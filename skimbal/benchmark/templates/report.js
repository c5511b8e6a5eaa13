"use strict";
// Sorts and filters the tables, and copies the texts. Without it, the page shows everything.

for (const tools of document.querySelectorAll(".tools[hidden], .copy button[hidden]")) {
  tools.hidden = false;
}

const byName = new Intl.Collator(undefined, { numeric: true });

function compare(column, isDescending) {
  const sign = isDescending ? -1 : 1;
  return (a, b) => {
    const [x, y] = [a.cells[column], b.cells[column]];
    if (!("key" in x.dataset)) return sign * byName.compare(x.textContent, y.textContent);
    const [p, q] = [x.dataset.key, y.dataset.key];
    if (p === "" || q === "") return (p === "") - (q === ""); // what is missing is last
    return sign * (p - q);
  };
}

for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const original = [...body.rows];
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    heading.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const next = { none: "ascending", ascending: "descending", descending: "none" };
      const order = next[heading.getAttribute("aria-sort")];
      for (const other of headings) other.setAttribute("aria-sort", "none");
      heading.setAttribute("aria-sort", order);
      const rows = [...original];
      if (order !== "none") rows.sort(compare(column, order === "descending"));
      body.append(...rows);
    });
  });
}

const filter = document.getElementById("filter");
const scores = document.getElementById("scores-table");

function applyFilter() {
  const wanted = filter.value.trim().toLowerCase();
  const rows = [...scores.tBodies[0].rows];
  for (const row of rows) {
    row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted);
  }
  for (const panel of document.querySelectorAll(".panels > *")) {
    panel.hidden = !panel.querySelector("h3").textContent.toLowerCase().includes(wanted);
  }
  const shown = rows.filter((row) => !row.hidden).length;
  document.getElementById("shown").textContent = `${shown} of ${rows.length} data sets shown`;
}

filter.addEventListener("input", applyFilter);
for (const box of document.querySelectorAll("[data-column]")) {
  box.addEventListener("change", () => {
    for (const row of scores.rows) row.cells[Number(box.dataset.column)].hidden = !box.checked;
  });
}

// Returns whether the text is on the clipboard; if not, it is selected, and the reader can copy it.
async function copyText(area, button) {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(area.value);
      return true;
    } catch (error) {
      // Not allowed here: the older way below works from a click.
    }
  }
  const details = area.closest("details");
  const wasOpen = details.open;
  details.open = true; // what is not shown can't be selected
  area.select();
  if (!document.execCommand("copy")) return false;
  details.open = wasOpen;
  button.focus();
  return true;
}

const status = document.getElementById("copied");
let clearing;

for (const button of document.querySelectorAll("button[data-copy]")) {
  const area = document.getElementById(button.dataset.copy);
  button.addEventListener("click", async () => {
    clearTimeout(clearing);
    if (await copyText(area, button)) {
      status.textContent = `Copied: ${area.getAttribute("aria-label")}`;
      clearing = setTimeout(() => (status.textContent = ""), 5000);
    } else {
      status.textContent = "The browser does not copy. The text is selected: press Ctrl+C or Cmd+C.";
    }
  });
}
