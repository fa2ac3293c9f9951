"use strict";
(() => {
  const all = (query, within = document) => Array.from(within.querySelectorAll(query));
  const byId = (id) => document.getElementById(id);
  const search = byId("search"), found = byId("found"), tools = byId("tools"), theme = byId("theme");
  const rows = all("tr[data-words]"), suites = all("details[data-suite]");
  const buttons = all("button[data-outcome]");
  const wanted = new Set();

  // Words are looked for in a row, and in what its cells are on; outcomes in its cells.
  for (const row of rows) {
    const on = all("td:not(.none)", row).map((one) => one.dataset.on);
    row.words = [row.dataset.words, ...on].join(" ").toLowerCase();
    row.outcomes = row.dataset.outcomes.split(" ");
  }
  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const right = wanted.size === 0 || row.outcomes.some((one) => wanted.has(one));
      row.hidden = !(right && words.every((word) => row.words.includes(word)));
      count += row.hidden ? 0 : 1;
    }
    const narrowed = words.length > 0 || wanted.size > 0;
    for (const suite of suites) {
      suite.hidden = all("tr[data-words]", suite).every((row) => row.hidden);
      if (narrowed && !suite.hidden) suite.open = true;
    }
    found.textContent = narrowed ? `${count} of ${rows.length} behaviours` : "";
  }
  function open(id) {
    const target = id && byId(id);
    if (!target) return;
    for (let one = target; one; one = one.parentElement) {
      if (one.tagName === "DETAILS") one.open = true;
    }
    target.scrollIntoView();
    const focused = target.tagName === "DETAILS" ? target.querySelector("summary") : target;
    if (focused.tabIndex >= 0 || focused.hasAttribute("tabindex")) {
      focused.focus({ preventScroll: true });
    }
  }
  function follow() {
    try { open(decodeURIComponent(location.hash.slice(1))); } catch { /* no link of ours */ }
  }
  function dark() {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }

  tools.hidden = theme.hidden = false;
  tools.addEventListener("submit", (event) => event.preventDefault());
  search.addEventListener("input", filter);
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const name = button.dataset.outcome, on = !wanted.has(name);
      if (on) wanted.add(name); else wanted.delete(name);
      button.setAttribute("aria-pressed", String(on));
      filter();
    });
  }
  byId("fold").addEventListener("click", () => suites.forEach((one) => { one.open = false; }));
  byId("unfold").addEventListener("click", () => suites.forEach((one) => { one.open = true; }));
  theme.textContent = dark() ? "Light" : "Dark";
  theme.addEventListener("click", () => {
    document.documentElement.dataset.theme = dark() ? "light" : "dark";
    theme.textContent = dark() ? "Light" : "Dark";
  });
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? "");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape" && document.activeElement === search) {
      search.value = "";
      filter();
    }
  });
  // A link to a cell that is open already, and was scrolled away from, changes no hash.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#"]');
    if (link && link.getAttribute("href") === location.hash) follow();
  });
  // What did not hold is printed in full, the rest as it is folded.
  let opened = [];
  addEventListener("beforeprint", () => {
    const bad = "details.place.FAIL, details.place.INCONCLUSIVE, details.place.KNOWN";
    opened = [...all(bad), ...suites].filter((one) => !one.open);
    opened.forEach((one) => { one.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach((one) => { one.open = false; }));
  addEventListener("hashchange", follow);
  // The browser goes to the anchor itself when all is there, and takes the focus away.
  addEventListener("load", () => setTimeout(follow));
})();
