// Piccolo Admin shows its own page for signing in when a session ends; staff sign in on ours.
const leave = () => {
  if (location.hash.startsWith("#/login")) location.replace("../staff/sign-in");
};

// Its buttons for adding, saving and deleting rows stand on every table, also where nothing can be changed.
let editable = [];
const shown = () => (location.hash.match(/^#\/([a-z_]+)/) ?? [])[1];
const mark = () => {
  document.body.classList.toggle("reads-only", !editable.includes(shown()) && !location.hash.startsWith("#/forms"));
};

// It shows moments as 2026-10-13T09:00:00Z.
const INSTANT = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d(\.\d+)?Z$/;
const ONE_LINE = /^(\d{4}-\d\d-\d\d|DR-\d{4}-\d{4,12})$/;
const readable = () => {
  for (const cell of document.querySelectorAll("td span, td a, td")) {
    if (cell.childElementCount !== 0) continue;
    const text = cell.textContent.trim();
    const found = INSTANT.exec(text);
    if (found) cell.textContent = `${found[1]} ${found[2]} UTC`;
    if (found || ONE_LINE.test(text)) cell.closest("td").classList.add("moment");
  }
};

const moved = () => {
  leave();
  mark();
};
addEventListener("hashchange", moved);
moved();
new MutationObserver(readable).observe(document.documentElement, { childList: true, subtree: true });
fetch("./editable.json").then((answer) => (answer.ok ? answer.json() : [])).then((tables) => {
  editable = tables;
  mark();
});
