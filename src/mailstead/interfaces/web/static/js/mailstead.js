// Small helps for pages that work without them: growing frames, picking, keys, new mail, phone folders.

const letterFrames = (root) => {
  for (const frame of root.querySelectorAll("iframe[data-grow]")) {
    const grow = () => {
      const page = frame.contentDocument;
      if (page?.documentElement) frame.style.blockSize = `${page.documentElement.scrollHeight + 2}px`;
    };
    frame.addEventListener("load", () => {
      grow();
      for (const picture of frame.contentDocument?.images ?? []) picture.addEventListener("load", grow);
      new ResizeObserver(grow).observe(frame.contentDocument.documentElement);
    });
    grow();
  }
};

const picking = () => {
  const boxes = [...document.querySelectorAll("#pick input[name=uid]")];
  const any = boxes.some((box) => box.checked);
  for (const button of document.querySelectorAll("[data-needs-pick]")) button.disabled = !any;
  const all = document.querySelector("[data-pick-all]");
  if (all) {
    all.checked = any && boxes.every((box) => box.checked);
    all.indeterminate = any && !all.checked;
  }
};

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-pick-all]")) {
    for (const box of document.querySelectorAll("#pick input[name=uid]")) box.checked = event.target.checked;
  }
  picking();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-open-folders]")) document.querySelector(".mail").classList.toggle("choosing");
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});

// One letter does what the button with that data-key does; j and k walk the list, / searches, c writes.
const walk = (step) => {
  const rows = [...document.querySelectorAll(".row")];
  const at = rows.findIndex((row) => row.classList.contains("selected"));
  const next = rows[at < 0 ? 0 : at + step];
  next?.querySelector("a")?.click();
};
const keys = {
  j: () => walk(1),
  k: () => walk(-1),
  c: () => location.assign("/mail/compose"),
  "/": () => document.querySelector(".search input")?.focus(),
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, [contenteditable]")) return;
  const button = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  const run = keys[event.key] ?? (button && (() => button.click()));
  if (run) {
    event.preventDefault();
    run();
  }
});

// New mail: the server tells, the list and the folders are fetched anew where nobody is picking.
const follow = (mail) => {
  const source = new EventSource(mail.dataset.events);
  source.addEventListener("mail", async () => {
    if (document.querySelector("#pick input:checked")) return;
    const answer = await fetch(mail.dataset.list);
    if (!answer.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const id of ["folders", "list"]) {
      const [old, now] = [document.getElementById(id), fresh.getElementById(id)];
      if (!old || !now || old.contains(document.activeElement)) continue;
      const top = old.scrollTop;
      const selected = old.querySelector(".row.selected")?.dataset.uid;
      old.replaceWith(now);
      now.scrollTop = top;
      if (selected) now.querySelector(`.row[data-uid="${selected}"]`)?.classList.add("selected");
    }
    if (!document.querySelector(".reader.open")) document.title = fresh.title;
    picking();
  });
  addEventListener("pagehide", () => source.close());
};

letterFrames(document);
picking();
const mail = document.querySelector("[data-events]");
if (mail) follow(mail);

// Copy buttons are there where the browser can copy.
const copying = (root) => {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
};
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.classList.add("done");
  setTimeout(() => button.classList.remove("done"), 1500);
});
copying(document);
document.addEventListener("htmx:afterSettle", () => copying(document));
