// The service worker keeps files that never change, and one page for when there is no connection. Mail is never kept.

const KEPT = "mailstead-1";
const OFFLINE = "/offline";

addEventListener("install", (event) => {
  event.waitUntil(
    caches.open(KEPT).then(async (cache) => {
      const page = await fetch(OFFLINE);
      const text = await page.clone().text();
      await cache.put(OFFLINE, page);
      await cache.addAll([...text.matchAll(/(?:href|src)="(\/static\/[^"]+\.(?:css|js))"/g)].map((found) => found[1]));
    }),
  );
});
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== location.origin) return;
  if (new URL(request.url).pathname.startsWith("/static/")) {
    event.respondWith(
      caches.open(KEPT).then(async (cache) => {
        const kept = await cache.match(request);
        if (kept) return kept;
        const answer = await fetch(request);
        if (answer.ok) await cache.put(request, answer.clone());
        return answer;
      }),
    );
  } else if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(() => caches.match(OFFLINE)));
  }
});

// Web Push: new mail is shown, and the installed application has a badge
addEventListener("push", (event) => {
  const news = event.data?.json() ?? {};
  const shown = registration.showNotification(news.title || "Mailstead", {
    body: news.text ?? "",
    tag: "mail",
    renotify: true,
    data: news.url ?? "/mail/",
  });
  const badge = news.unseen ? navigator.setAppBadge?.(news.unseen) : navigator.clearAppBadge?.();
  event.waitUntil(Promise.all([shown, badge]));
});
addEventListener("notificationclick", (event) => {
  event.notification.close();
  const target = new URL(event.notification.data, location.origin);
  event.waitUntil(
    clients.matchAll({ type: "window", includeUncontrolled: true }).then((all) => {
      const open = all.find((one) => new URL(one.url).pathname.startsWith("/mail/"));
      return open ? open.focus() : clients.openWindow(target.origin === location.origin ? target.href : "/mail/");
    }),
  );
});
