// A file goes to the server piece by piece, however large, and shows how far it is; without this the form sends it.

const form = document.querySelector("[data-upload]");
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const [file] = form.elements.file.files;
  const query = new URLSearchParams({ name: file.name });
  if (form.elements.into.value) query.set("folder", form.elements.into.value);
  const progress = form.querySelector("progress");
  const told = form.querySelector("[data-told]");
  const button = form.querySelector("button");
  const request = new XMLHttpRequest();
  progress.hidden = false;
  button.disabled = true;
  told.textContent = "";
  const failed = (text) => {
    told.textContent = text || form.dataset.failed;
    progress.hidden = true;
    button.disabled = false;
  };
  request.upload.addEventListener("progress", (step) => step.lengthComputable && (progress.value = step.loaded / step.total));
  request.addEventListener("error", () => failed(""));
  request.addEventListener("load", () => {
    if (request.status === 202) return location.assign("/account/transfers");
    let text = "";
    if (request.getResponseHeader("content-type")?.includes("json")) text = JSON.parse(request.responseText).message ?? "";
    failed(text);
  });
  request.open("POST", `/v1/imports?${query}`);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.setRequestHeader("X-CSRF-Token", form.elements.csrf.value);
  request.send(file);
});
