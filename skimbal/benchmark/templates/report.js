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

async function copyText(area) {
  if (navigator.clipboard) {
    try {
      return await navigator.clipboard.writeText(area.value);
    } catch (error) {
      // Not allowed here: the older way below works from a click.
    }
  }
  area.closest("details").open = true;
  area.select();
  if (!document.execCommand("copy")) throw new Error("the browser does not allow it");
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  button.addEventListener("click", async () => {
    const status = document.getElementById("copied");
    try {
      await copyText(document.getElementById(button.dataset.copy));
      status.textContent = `${button.textContent.trim()}: done`;
    } catch (error) {
      status.textContent = `Copying failed (${error.message}). The text is selected below.`;
    }
  });
}
