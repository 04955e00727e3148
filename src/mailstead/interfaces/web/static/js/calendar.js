// The calendar: everything works without this; with it the zone is the browser's, slots can be clicked, events dragged.

const YEAR = 31536000;
const keep = (name, value) => {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${value}; Path=/; Max-Age=${YEAR}; SameSite=Lax${secure}`;
};

const main = document.querySelector("main.calendar");
for (const link of document.querySelectorAll("[data-view]")) link.addEventListener("click", () => keep("mailstead_view", link.dataset.view));

for (const toast of document.querySelectorAll("[data-toast]")) setTimeout(() => toast.remove(), 6000);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  const target = document.querySelector(`.calendar [data-key="${CSS.escape(event.key)}"]`);
  if (target) target.click();
});

// hours: the scroll begins in the morning, a line shows the time
const hours = document.querySelector("[data-hours]");
if (hours) {
  const lanes = hours.querySelector(".lanes");
  const quarter = () => lanes.getBoundingClientRect().height / 96;
  hours.scrollTop = quarter() * 27;
  const today = hours.querySelector(".lanes.today");
  if (today) {
    const line = document.createElement("span");
    line.className = "now";
    today.append(line);
    const place = () => {
      const now = new Date();
      line.style.insetBlockStart = `${((now.getHours() * 60 + now.getMinutes()) / 1440) * 100}%`;
    };
    place();
    setInterval(place, 60000);
  }

  const text = (row) => `${String(Math.floor(row / 4)).padStart(2, "0")}:${String((row % 4) * 15).padStart(2, "0")}`;
  const rowAt = (column, y) => Math.max(0, Math.min(95, Math.floor((y - column.getBoundingClientRect().top) / quarter())));

  hours.addEventListener("click", (event) => {
    const column = event.target.closest(".lanes");
    if (!column || event.target !== column) return;
    const row = Math.floor(rowAt(column, event.clientY) / 2) * 2;
    location.href = `/calendar/new?on=${column.dataset.day}&at=${text(row)}`;
  });

  // drag an event to another time: the server moves that instance, and tells who is invited
  let dragged = null;
  hours.addEventListener("pointerdown", (event) => {
    const block = event.target.closest("[data-move]");
    if (!block || event.button !== 0 || event.pointerType === "touch") return;
    dragged = { block, x: event.clientX, y: event.clientY, from: rowAt(block.parentElement, event.clientY), ghost: null };
  });
  hours.addEventListener("pointermove", (event) => {
    if (!dragged) return;
    if (!dragged.ghost && Math.hypot(event.clientX - dragged.x, event.clientY - dragged.y) < 6) return;
    event.preventDefault();
    const column = document.elementsFromPoint(event.clientX, event.clientY).find((one) => one.matches(".lanes"));
    if (!column) return;
    if (!dragged.ghost) {
      dragged.ghost = document.createElement("div");
      dragged.ghost.className = "new";
      hours.setPointerCapture(event.pointerId);
    }
    const [row, span] = [/\br(\d+)\b/, /\bs(\d+)\b/].map((form) => Number(dragged.block.className.match(form)[1]));
    const start = Math.max(0, Math.min(96 - span, row + rowAt(column, event.clientY) - dragged.from));
    dragged.ghost.className = `new r${start} s${span}`;
    column.append(dragged.ghost);
    dragged.to = { day: column.dataset.day, time: text(start) };
  });
  hours.addEventListener("pointerup", () => {
    const done = dragged;
    dragged = null;
    if (!done || !done.ghost) return;
    done.ghost.remove();
    done.block.addEventListener("click", (event) => event.preventDefault(), { once: true, capture: true });
    if (!done.to) return;
    const form = document.createElement("form");
    form.method = "post";
    form.action = "/calendar/move";
    const csrf = document.querySelector('input[name="csrf"]').value;
    const { calendar, name, at } = done.block.dataset;
    const fields = { csrf, calendar, name, at, start_day: done.to.day, start_time: done.to.time };
    for (const [key, value] of Object.entries(fields)) {
      const input = document.createElement("input");
      input.type = "hidden";
      input.name = key;
      input.value = value;
      form.append(input);
    }
    document.body.append(form);
    form.submit();
  });
  hours.addEventListener("dragstart", (event) => event.preventDefault());
}

// the form: whole days have no times; the end follows the start
const allDay = document.getElementById("all_day");
if (allDay) {
  const times = document.querySelectorAll("[data-time]");
  const show = () => times.forEach((one) => (one.hidden = allDay.checked));
  allDay.addEventListener("change", show);
  show();
  const [startDay, startTime, endDay, endTime] = ["start_day", "start_time", "end_day", "end_time"].map((id) => document.getElementById(id));
  const at = (day, time) => new Date(`${day.value}T${time.value || "00:00"}`);
  let length = at(endDay, endTime) - at(startDay, startTime);
  const two = (number) => String(number).padStart(2, "0");
  const follow = () => {
    const end = new Date(at(startDay, startTime).getTime() + Math.max(length, 0));
    if (Number.isNaN(end.getTime())) return;
    endDay.value = `${end.getFullYear()}-${two(end.getMonth() + 1)}-${two(end.getDate())}`;
    endTime.value = `${two(end.getHours())}:${two(end.getMinutes())}`;
  };
  for (const one of [startDay, startTime]) one.addEventListener("change", follow);
  for (const one of [endDay, endTime]) one.addEventListener("change", () => (length = at(endDay, endTime) - at(startDay, startTime)));
  const repeat = document.getElementById("repeat");
  const until = document.getElementById("until").closest(".field");
  const ends = () => (until.hidden = !repeat.value);
  repeat.addEventListener("change", ends);
  ends();
}
