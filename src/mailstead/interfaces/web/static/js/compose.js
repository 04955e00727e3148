// Writing's helps: rich text, drafts saved by themselves, files and pictures dropped, people found as one types.

const form = document.querySelector("[data-compose]");
const [rich, plain] = [document.getElementById("rich"), document.getElementById("text")];
const editor = form.querySelector("[data-editor]");
const field = (name) => form.elements[name];
const isRich = () => !editor.hidden;

const show = (wantsRich) => {
  editor.hidden = !wantsRich;
  plain.hidden = wantsRich;
  form.querySelector("[data-rich]").hidden = wantsRich;
  field("is_rich").value = wantsRich ? "yes" : "";
};

rich.append(document.getElementById("html").content.cloneNode(true));
show(localStorage.getItem("mailstead.rich") !== "no" || field("is_rich").value === "yes");
if (plain.autofocus && isRich()) {
  rich.focus();
  getSelection().collapse(rich, 0);
}

form.querySelector("[data-plain]").addEventListener("click", () => {
  plain.value = rich.innerText;
  localStorage.setItem("mailstead.rich", "no");
  show(false);
  plain.focus();
  changed();
});
form.querySelector("[data-rich]").addEventListener("click", () => {
  rich.replaceChildren(
    ...plain.value.split("\n").map((line) => {
      const paragraph = document.createElement("p");
      if (line) paragraph.textContent = line;
      else paragraph.append(document.createElement("br"));
      return paragraph;
    }),
  );
  localStorage.setItem("mailstead.rich", "yes");
  show(true);
  rich.focus();
  changed();
});

// the toolbar

let range = null;
const linking = form.querySelector("[data-link]");
for (const button of form.querySelectorAll("[data-command]")) {
  button.addEventListener("mousedown", (event) => event.preventDefault()); // what is selected stays selected
  button.addEventListener("click", () => {
    const command = button.dataset.command;
    if (command === "createLink") {
      range = getSelection().rangeCount ? getSelection().getRangeAt(0).cloneRange() : null;
      linking.hidden = false;
      document.getElementById("link").focus();
      return;
    }
    rich.focus();
    if (command === "quote") document.execCommand("formatBlock", false, "blockquote");
    else document.execCommand(command);
    changed();
  });
}
const link = () => {
  const address = document.getElementById("link").value.trim();
  linking.hidden = true;
  rich.focus();
  if (range && /^(https?|mailto|tel):/i.test(address)) {
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    if (range.collapsed) document.execCommand("insertText", false, address);
    else document.execCommand("createLink", false, address);
  }
  changed();
};
form.querySelector("[data-link-set]").addEventListener("click", link);
document.getElementById("link").addEventListener("keydown", (event) => {
  if (event.key === "Enter") {
    event.preventDefault();
    link();
  }
});

// drafts

const told = document.getElementById("saved");
let [timer, saving, again, leaving] = [0, null, false, false];
const files = document.getElementById("files");
const list = document.getElementById("carried");

const listed = (carried) => {
  list.hidden = !carried.length;
  list.replaceChildren(
    ...carried.map((file) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "button plain", textContent: `${file.filename} ×` });
      button.setAttribute("aria-label", `${form.dataset.remove}: ${file.filename}`);
      button.addEventListener("click", () => save([file.path]));
      item.append(button);
      return item;
    }),
  );
};

const save = async (drop = []) => {
  clearTimeout(timer);
  if (saving) {
    again = true;
    return saving;
  }
  field("html").value = isRich() ? rich.innerHTML : "";
  const content = new FormData(form);
  content.delete("drop");
  content.set("action", "draft");
  for (const path of drop) content.append("drop", path);
  const sending = files.files.length;
  told.textContent = form.dataset.saving;
  saving = (async () => {
    const answer = await fetch(form.getAttribute("action"), { method: "POST", body: content, headers: { Accept: "application/json" } });
    const result = await answer.json().catch(() => ({}));
    if (!answer.ok) {
      told.textContent = `${form.dataset.failed} ${result.problem ?? answer.status}`;
      return;
    }
    field("draft").value = result.draft;
    if (files.files.length === sending) files.value = "";
    listed(result.files);
    told.textContent = form.dataset.saved;
    const url = new URL(location);
    url.search = new URLSearchParams({ draft: result.draft, source: field("source").value, kind: field("kind").value });
    history.replaceState({}, "", url);
  })();
  await saving;
  saving = null;
  if (again && !leaving) {
    again = false;
    await save();
  }
};
const changed = () => {
  told.textContent = "";
  clearTimeout(timer);
  timer = setTimeout(() => save(), 2000);
};
form.addEventListener("input", (event) => event.target.matches("#link, #send_later, [role=combobox]") || changed());
files.addEventListener("change", () => save());

let ready = false;
form.addEventListener("submit", async (event) => {
  if (ready) return;
  event.preventDefault();
  clearTimeout(timer);
  leaving = true;
  await saving;
  field("html").value = isRich() ? rich.innerHTML : "";
  const later = document.getElementById("send_later").value;
  field("send_at").value = event.submitter?.matches("[data-send-later]") && later ? new Date(later).getTime() / 1000 : "";
  ready = true;
  // not within this event: a form that is being submitted takes no second submission
  setTimeout(() => form.requestSubmit(event.submitter));
});
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.querySelector("[data-key-send]").click();
});
form.querySelector("[data-later]").hidden = false;

// files and pictures

const insert = (file) => {
  const reader = new FileReader();
  reader.addEventListener("load", () => {
    rich.focus();
    document.execCommand("insertImage", false, reader.result);
    changed();
  });
  reader.readAsDataURL(file);
};
const attach = (given) => {
  const all = new DataTransfer();
  for (const file of [...files.files, ...given]) all.items.add(file);
  files.files = all.files;
  save();
};
const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp"];
form.addEventListener("dragover", (event) => {
  if ([...event.dataTransfer.types].includes("Files")) {
    event.preventDefault();
    form.classList.add("over");
  }
});
form.addEventListener("dragleave", () => form.classList.remove("over"));
form.addEventListener("drop", (event) => {
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  form.classList.remove("over");
  const given = [...event.dataTransfer.files];
  if (rich.contains(event.target) && given.every((file) => PICTURES.includes(file.type))) given.forEach(insert);
  else attach(given);
});
rich.addEventListener("paste", (event) => {
  const pictures = [...event.clipboardData.files].filter((file) => PICTURES.includes(file.type));
  if (!pictures.length) return;
  event.preventDefault();
  pictures.forEach(insert);
});

// people: the part after the last comma is looked for

for (const input of form.querySelectorAll("[data-people]")) {
  const options = Object.assign(document.createElement("ul"), { id: `${input.id}-people`, className: "people", hidden: true });
  options.setAttribute("role", "listbox");
  options.setAttribute("aria-label", input.labels[0].textContent);
  input.parentElement.append(options);
  for (const [name, value] of Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": options.id, "aria-autocomplete": "list" })) {
    input.setAttribute(name, value);
  }
  let [at, asking] = [-1, null];
  const close = () => {
    options.hidden = true;
    at = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const choose = (option) => {
    const before = input.value.slice(0, input.value.lastIndexOf(",") + 1);
    input.value = `${before}${before ? " " : ""}${option.dataset.text}, `;
    close();
    input.focus();
    changed();
  };
  const point = (to) => {
    at = (to + options.children.length) % options.children.length;
    [...options.children].forEach((option, place) => option.setAttribute("aria-selected", String(place === at)));
    input.setAttribute("aria-activedescendant", options.children[at].id);
  };
  input.addEventListener("input", async () => {
    const wanted = input.value.slice(input.value.lastIndexOf(",") + 1).trim();
    changed();
    asking?.abort();
    if (wanted.length < 1) return close();
    asking = new AbortController();
    try {
      const answer = await fetch(`/mail/compose/people?q=${encodeURIComponent(wanted)}`, { signal: asking.signal });
      const found = answer.ok ? await answer.json() : [];
      options.replaceChildren(
        ...found.map((person, place) => {
          const option = Object.assign(document.createElement("li"), { id: `${options.id}-${place}` });
          option.setAttribute("role", "option");
          option.setAttribute("aria-selected", "false");
          option.dataset.text = person.text;
          const name = Object.assign(document.createElement("strong"), { textContent: person.name || person.address });
          const address = Object.assign(document.createElement("span"), { className: "small quiet", textContent: person.name ? person.address : "" });
          option.append(name, address);
          option.addEventListener("mousedown", (event) => {
            event.preventDefault();
            choose(option);
          });
          return option;
        }),
      );
      options.hidden = !found.length;
      at = -1;
      input.setAttribute("aria-expanded", String(!!found.length));
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
  });
  input.addEventListener("keydown", (event) => {
    if (options.hidden) return;
    if (event.key === "ArrowDown") point(at + 1);
    else if (event.key === "ArrowUp") point(at - 1);
    else if (event.key === "Escape") close();
    else if ((event.key === "Enter" || event.key === "Tab") && at >= 0) choose(options.children[at]);
    else return;
    event.preventDefault();
  });
  input.addEventListener("blur", close);
}
