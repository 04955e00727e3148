// Webmail's helps: a message opens beside the list, search as you type, picking, dragging, keys, new mail. Without any
// of it the same pages work as links and forms.

const page = () => document.querySelector("[data-events]");

const growing = (root) => {
  for (const frame of root.querySelectorAll("iframe[data-grow]")) {
    const grow = () => {
      const inside = frame.contentDocument;
      if (inside?.documentElement) frame.style.blockSize = `${inside.documentElement.scrollHeight + 2}px`;
    };
    frame.addEventListener("load", () => {
      grow();
      for (const picture of frame.contentDocument?.images ?? []) picture.addEventListener("load", grow);
      if (frame.contentDocument) new ResizeObserver(grow).observe(frame.contentDocument.documentElement);
    });
    grow();
  }
  for (const button of root.querySelectorAll("[data-print]")) button.hidden = false;
};

// picking

let last = null;
const boxes = () => [...document.querySelectorAll("#pick input[name=uid]")];
const picking = () => {
  const all = boxes();
  const any = all.some((box) => box.checked);
  for (const place of document.querySelectorAll("[data-needs-pick]")) {
    if (place.matches("button")) place.disabled = !any;
    else place.classList.toggle("disabled", !any);
  }
  const whole = document.querySelector("[data-pick-all]");
  if (whole) {
    whole.checked = any && all.every((box) => box.checked);
    whole.indeterminate = any && !whole.checked;
  }
};

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-pick-all]")) for (const box of boxes()) box.checked = event.target.checked;
  picking();
});

document.addEventListener("click", (event) => {
  const box = event.target.closest("#pick input[name=uid]");
  if (box) {
    const all = boxes();
    if (event.shiftKey && last && all.includes(last)) {
      const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((one, other) => one - other);
      for (const between of all.slice(from, to + 1)) between.checked = box.checked;
      picking();
    }
    last = box;
  }
  if (event.target.closest("[data-open-folders]")) {
    event.preventDefault();
    page()?.classList.toggle("choosing");
  }
  if (event.target.closest("[data-print]")) print();
});

// a page's parts are taken out of the whole page that the server gives

const fetched = async (url, signal) => {
  const answer = await fetch(url, { signal });
  if (!answer.ok || (answer.redirected && new URL(answer.url).pathname.startsWith("/login"))) return location.assign(url);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
};

const replace = (fresh, ids) => {
  for (const id of ids) {
    const [old, now] = [document.getElementById(id), fresh.getElementById(id)];
    if (!old || !now) continue;
    const top = old.scrollTop;
    const picked = new Set(boxes().filter((box) => box.checked).map((box) => box.value));
    old.replaceWith(document.adoptNode(now));
    if (id !== "reader") now.scrollTop = top;
    if (id === "list") for (const box of boxes()) box.checked = picked.has(box.value);
    growing(now);
  }
  picking();
};

const showing = (url) => {
  for (const row of document.querySelectorAll(".row")) {
    const is = new URL(row.querySelector("a").href).pathname === new URL(url, location).pathname;
    row.classList.toggle("selected", is);
    if (is) row.classList.remove("unseen");
  }
};

let opening = null;
const open = async (url, push = true) => {
  opening?.abort();
  opening = new AbortController();
  try {
    const fresh = await fetched(url, opening.signal);
    if (!fresh) return;
    replace(fresh, ["reader", "folders"]);
    if (push) history.pushState({}, "", url);
    document.title = fresh.title;
    showing(url);
    document.getElementById("reader").scrollTop = 0;
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  }
};

document.addEventListener("click", (event) => {
  const link = event.target.closest(".row a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button || !link.pathname.includes("/m/")) return;
  event.preventDefault();
  open(link.href);
});
addEventListener("popstate", () => location.reload());
addEventListener("pageshow", (event) => event.persisted && location.reload()); // nothing was heard meanwhile

// search as one types

let waiting = 0;
let searching = null;
document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-instant]");
  if (!form) return;
  clearTimeout(waiting);
  waiting = setTimeout(async () => {
    searching?.abort();
    searching = new AbortController();
    const url = new URL(form.action, location);
    if (event.target.value) url.searchParams.set("q", event.target.value);
    try {
      const fresh = await fetched(url, searching.signal);
      if (!fresh) return;
      // the field itself stays, with what is typed meanwhile
      document.getElementById("pick").replaceWith(document.adoptNode(fresh.getElementById("pick")));
      const [pager, other] = [document.querySelector("#list .pager"), fresh.querySelector("#list .pager")];
      pager?.remove();
      if (other) document.getElementById("list").append(document.adoptNode(other));
      page().dataset.list = url.pathname + url.search;
      history.replaceState({}, "", url);
      picking();
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
  }, 150);
});

// dragging rows onto folders

document.addEventListener("dragstart", (event) => {
  const row = event.target.closest?.(".row");
  if (!row) return;
  const box = row.querySelector("input[name=uid]");
  if (!box.checked) {
    for (const other of boxes()) other.checked = false;
    box.checked = true;
    picking();
  }
  event.dataTransfer.setData("text/plain", box.value);
  event.dataTransfer.effectAllowed = "move";
  document.body.classList.add("dragging");
});
document.addEventListener("dragend", () => document.body.classList.remove("dragging"));
document.addEventListener("dragover", (event) => {
  const place = event.target.closest?.("[data-drop]");
  for (const other of document.querySelectorAll("[data-drop].over")) if (other !== place) other.classList.remove("over");
  if (!place || !document.body.classList.contains("dragging")) return;
  event.preventDefault();
  place.classList.add("over");
});
document.addEventListener("drop", (event) => {
  const place = event.target.closest?.("[data-drop]");
  if (!place || !document.body.classList.contains("dragging")) return;
  event.preventDefault();
  document.querySelector(`#pick`) && submitting("into", place.dataset.drop);
});
const submitting = (name, value) => {
  const form = document.getElementById("pick");
  const field = Object.assign(document.createElement("input"), { type: "hidden", name, value });
  form.append(field);
  form.requestSubmit();
};

// keys: one letter does what the button with that data-key does

const rows = () => [...document.querySelectorAll(".row")];
const at = () => rows().findIndex((row) => row.classList.contains("selected") || row.classList.contains("at"));
const step = (by) => {
  const all = rows();
  const now = at();
  const next = all[now < 0 ? 0 : now + by];
  if (!next) return;
  for (const row of all) row.classList.toggle("at", row === next);
  next.querySelector("a").focus();
  next.scrollIntoView({ block: "nearest" });
  if (document.querySelector(".reader.open")) next.querySelector("a").click();
};
let before = "";
const keys = {
  j: () => step(1),
  k: () => step(-1),
  o: () => rows()[at()]?.querySelector("a").click(),
  x: () => {
    const box = rows()[at()]?.querySelector("input");
    if (box) box.checked = !box.checked;
    picking();
  },
  c: () => location.assign("/mail/compose"),
  "/": () => document.querySelector(".search input")?.focus(),
  "?": () => document.getElementById("keys")?.showModal(),
  g: () => {},
  i: () => before === "g" && location.assign(page().dataset.inbox),
};
const acting = { e: "archive", "#": "trash", "!": "junk", s: "flag", u: "unseen" };
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
  if (!page() || document.querySelector("dialog[open]")) return;
  const picked = boxes().some((box) => box.checked);
  let run = keys[event.key];
  if (picked && acting[event.key]) {
    run = () => {
      const button = document.querySelector(`.actions button[value="${acting[event.key]}"], .actions [data-for="${acting[event.key]}"]`);
      button?.click();
    };
  }
  if (picked && event.key === "b") run = () => document.querySelector(".actions .snoozing > summary")?.click();
  const button = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  run ??= button && (() => button.click());
  if (run) {
    event.preventDefault();
    run();
  }
  before = event.key;
});

// new mail: the server tells, the list and the folders are fetched anew

const badge = (count) => (count ? navigator.setAppBadge?.(count) : navigator.clearAppBadge?.());
const follow = (place) => {
  const source = new EventSource(place.dataset.events);
  source.addEventListener("mail", async () => {
    const fresh = await fetched(place.dataset.list);
    if (!fresh) return;
    const selected = document.querySelector(".row.selected")?.dataset.uid;
    const searches = document.activeElement?.closest?.(".search");
    const focused = document.activeElement?.closest?.(".row")?.dataset.uid;
    if (!document.body.classList.contains("dragging") && !searches) replace(fresh, ["list"]);
    replace(fresh, ["folders"]);
    if (selected) document.querySelector(`.row[data-uid="${selected}"]`)?.classList.add("selected");
    if (focused) document.querySelector(`.row[data-uid="${focused}"] a`)?.focus();
    if (!document.querySelector(".reader.open")) document.title = fresh.title;
    const told = await fetch("/mail/unseen");
    if (told.ok && !told.redirected) badge((await told.json()).unseen);
  });
  addEventListener("pagehide", () => source.close());
};

if (page()) {
  growing(document);
  picking();
  follow(page());
  const clean = new URL(location);
  for (const name of ["done", "told", "sent", "folders"]) clean.searchParams.delete(name);
  if (clean.href !== location.href) history.replaceState({}, "", clean);
  const toast = document.querySelector("[data-toast]");
  if (toast) setTimeout(() => toast.matches(":focus-within, :hover") || toast.remove(), 12000);
}
