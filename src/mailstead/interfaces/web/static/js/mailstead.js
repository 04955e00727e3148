// Small helps for every page; all of them work without.

// The server tells times on the browser's wall clock.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.split("; ").includes(`mailstead_zone=${zone}`)) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `mailstead_zone=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  const told = document.querySelector("[data-zone]");
  if (told && told.dataset.zone !== zone) location.reload();
}

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target) || event.target === menu) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

const centred = () => {
  for (const tabs of document.querySelectorAll(".tabs")) {
    const at = tabs.querySelector("[aria-current]");
    if (at) tabs.scrollLeft = at.offsetLeft - (tabs.clientWidth - at.offsetWidth) / 2;
  }
};
centred();

// A page about work that goes on looks again until it has ended.
const following = async () => {
  while (document.querySelector("main [data-running]")) {
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const answer = await fetch(location.href);
    if (!answer.ok || answer.redirected) return location.reload();
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
    const [old, now] = [document.querySelector("[data-running]"), fresh.querySelector("[data-running]")];
    if (!old) return;
    if (now) old.replaceWith(document.adoptNode(now));
    else document.querySelector("main").replaceWith(document.adoptNode(fresh));
    centred();
  }
};
following();

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

if (isSecureContext) navigator.serviceWorker?.register("/worker.js");
