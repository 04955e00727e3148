// Subscribes this browser to Web Push, where it can be.

const form = document.querySelector("[data-push]");
if (form && "PushManager" in window && navigator.serviceWorker) {
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const told = form.querySelector("[data-told]");
    told.textContent = "";
    if ((await Notification.requestPermission()) !== "granted") {
      told.textContent = form.dataset.refused;
      return;
    }
    try {
      const worker = await navigator.serviceWorker.ready;
      const made = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: form.dataset.push });
      const { endpoint, keys } = made.toJSON();
      form.elements.endpoint.value = endpoint;
      form.elements.key.value = keys.p256dh;
      form.elements.auth.value = keys.auth;
      form.submit();
    } catch (error) {
      told.textContent = form.dataset.failed;
    }
  });
}
