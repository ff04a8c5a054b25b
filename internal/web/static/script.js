// What the pages do beyond what they do without it: keys, and news from the
// server. The pages work without any of this.
"use strict";

const polite = document.getElementById("live");
const say = text => { polite.textContent = text; };

// ---- News: what changes on the server changes on the page.

// was remembers what the server sent, by id: the countdown changes the page
// itself.
const was = new Map();
for (const e of document.querySelectorAll("[data-live][id]")) was.set(e.id, e.innerHTML);

// swap takes the living parts of a page over from another one.
function swap(text) {
  const news = new DOMParser().parseFromString(text, "text/html");
  const rows = document.getElementById("rows"), fresh = news.getElementById("rows");
  const ids = r => [...r.children].map(tr => tr.id).join(" ");
  if (rows && fresh && ids(rows) !== ids(fresh)) {
    const ticked = new Set([...rows.querySelectorAll("input:checked")].map(i => i.value));
    keepFocus(() => {
      rows.replaceChildren(...fresh.children);
      for (const i of rows.querySelectorAll("input[type=checkbox]")) i.checked = ticked.has(i.value);
    });
    for (const e of rows.querySelectorAll("[data-live][id]")) was.set(e.id, e.innerHTML);
  }
  for (const e of news.querySelectorAll("[data-live][id]")) {
    const old = document.getElementById(e.id);
    if (!old) continue;
    old.className = e.className;
    if (e.dataset.live === "class" || was.get(e.id) === e.innerHTML) continue;
    was.set(e.id, e.innerHTML);
    keepFocus(() => { old.replaceChildren(...e.childNodes); });
  }
  countdown();
}

// keepFocus makes a change, and puts the focus back if its place was replaced.
function keepFocus(change) {
  const had = document.activeElement;
  const row = had && had.closest("tr[id]");
  change();
  if (!had || had === document.body || document.contains(had)) return;
  const again = had.id && document.getElementById(had.id)
    || row && document.getElementById(row.id)?.querySelector(had.name ? "td.do button" : "td.subject a");
  if (again) again.focus();
}

let busy = false, again = false;

// refresh asks for the page anew. It is not a person who looks: the server does
// not begin the idle time again for it.
async function refresh() {
  if (busy) { again = true; return; }
  busy = true;
  try {
    do {
      again = false;
      const lines = document.getElementById("lines");
      if (lines && lines.dataset.lines) await more(lines);
      const page = document.body.dataset.page === "list" ? location.href : document.body.dataset.bar;
      const answer = await ask(page);
      if (answer.ok) swap(await answer.text());
    } while (again);
  } catch { /* the next event tries again */ } finally { busy = false; }
}

const ask = address => fetch(address, { headers: { "Postfach-Background": "1" }, credentials: "same-origin" });

// more adds lines to the protocol, and stays at the end if that is in view.
async function more(lines) {
  const answer = await ask(lines.dataset.lines + "?after=" + lines.dataset.next);
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("lines");
  if (!fresh) return;
  const atEnd = window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 80;
  lines.dataset.next = fresh.dataset.next;
  lines.append(...fresh.children);
  if (atEnd) window.scrollTo(0, document.documentElement.scrollHeight);
}

let events = null;

// listen listens while somebody can see the page.
function listen() {
  const address = document.body.dataset.changes;
  if (!address) return;
  if (document.hidden) {
    if (events) events.close();
    events = null;
    return;
  }
  if (events) return;
  events = new EventSource(address);
  events.onmessage = refresh;
  events.onerror = () => { if (events && events.readyState === EventSource.CLOSED) say("The explorer does not answer any more. Was it ended?"); };
}
document.addEventListener("visibilitychange", listen);
addEventListener("pagehide", () => { if (events) events.close(); events = null; });
addEventListener("pageshow", listen);

// ---- The countdown until the mailbox is let go.

function countdown() {
  for (const t of document.querySelectorAll("time[data-until]")) {
    const left = Math.max(0, Math.round((new Date(t.dateTime) - Date.now()) / 1000));
    const text = Math.floor(left / 60) + ":" + String(left % 60).padStart(2, "0");
    if (!t.dataset.clock) t.dataset.clock = t.textContent;
    t.textContent = t.dataset.clock + " (in " + text + ")";
  }
}
setInterval(() => { if (!document.hidden) countdown(); }, 1000);

// ---- Marks without a new page.

document.addEventListener("submit", async event => {
  const button = event.submitter;
  if (!button || !("swap" in button.dataset) || document.body.dataset.page !== "list") return;
  event.preventDefault();
  const form = event.target;
  const answer = await fetch(form.action, {
    method: "POST", body: new URLSearchParams(new FormData(form, button)), credentials: "same-origin", headers: { Accept: "text/html" },
  }).catch(() => null);
  if (!answer) { say("The explorer does not answer any more. Was it ended?"); return; }
  const text = await answer.text();
  if (answer.ok) {
    if (form.id === "messages") swap(text); else refresh();
    return;
  }
  say(new DOMParser().parseFromString(text, "text/html").querySelector("h1")?.textContent || "This did not work.");
});

// ---- Keys.

const titles = () => [...document.querySelectorAll("#rows td.subject a")];

// step moves the focus through the list.
function step(by) {
  const all = titles();
  if (!all.length) return;
  const row = document.activeElement && document.activeElement.closest("tr");
  const here = all.findIndex(a => a.closest("tr") === row);
  const next = here < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, here + by));
  all[next].focus();
  all[next].scrollIntoView({ block: "nearest" });
}

// press does what a page says that a key does, or what it does in the list.
function press(key) {
  const there = document.querySelector(`[data-key="${key}"]`);
  if (there) { there.click(); return true; }
  switch (key) {
    case "j": step(1); return true;
    case "k": step(-1); return true;
    case "x": {
      const row = document.activeElement && document.activeElement.closest("tr");
      const button = row && row.querySelector("td.do button");
      if (button) button.click();
      return !!button;
    }
    case "/": {
      const q = document.getElementById("q");
      if (q) { q.closest("details").open = true; q.focus(); q.select(); }
      return !!q;
    }
    case "?": {
      const keys = document.getElementById("keys");
      if (!keys.open) keys.showModal();
      return true;
    }
  }
  return false;
}

document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const at = event.target;
  if (at.closest && at.closest("dialog")) return;
  if (at.matches && at.matches("input:not([type=checkbox]):not([type=radio]), textarea, select")) {
    if (event.key === "Escape") at.blur();
    return;
  }
  if (["j", "k", "x", "u", "/", "?"].includes(event.key) && press(event.key)) event.preventDefault();
});

// A list that a message leads back to has its row in the address. The browser
// goes to the row first, which takes the focus away.
addEventListener("load", () => {
  if (document.body.dataset.page !== "list" || !location.hash.startsWith("#m-")) return;
  requestAnimationFrame(() => document.getElementById(location.hash.slice(1))?.querySelector("td.subject a")?.focus());
});

countdown();
listen();
