// Who waits in the rooms of the person who is signed in: the list renews itself, says aloud who has
// come, and takes decisions without losing the page.
//
// The list comes as it stands on the page of the rooms, so there is one form of it, made by the server.
// It is asked for a little less often while nobody looks; asking keeps nobody signed in.

const SEEN = 5_000; // milliseconds between two questions while somebody looks at the page
const UNSEEN = 20_000; // and while nobody does
const PATIENCE = 15_000; // for an answer

const place = document.querySelector("[data-rooms]");
const status = document.querySelector("[data-rooms-status]");
const title = document.title;
let again = 0;
let asking = false;
let isOver = false;
let known = null;

const rows = () => [...place.querySelectorAll("[data-who]")];

function announce() {
  const here = new Map(rows().map((row) => [`${row.dataset.room} ${row.dataset.who}`, row.dataset.name]));
  document.title = here.size ? `(${here.size}) ${title}` : title;
  if (known) {
    const come = [...here].filter(([key]) => !known.has(key)).map(([, name]) => name);
    if (come.length) status.textContent = status.dataset.come.replace("{names}", come.join(", "));
  }
  known = here;
}

// The same button keeps the focus when the list around it is a new one, or its room's name when it is gone.
function show(text) {
  if (place.querySelector(":active")) return false; // a button is just being pressed
  const made = new DOMParser().parseFromString(text, "text/html").body;
  const focused = place.contains(document.activeElement) ? document.activeElement : null;
  const room = focused?.closest(".room")?.getAttribute("aria-labelledby");
  place.replaceChildren(...made.childNodes);
  if (focused) (document.getElementById(focused.id) ?? document.getElementById(room))?.focus();
  return true;
}

function prepare() {
  for (const button of place.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
}

let last = "";
async function look() {
  clearTimeout(again);
  if (asking || isOver) return;
  asking = true;
  try {
    const answer = await fetch(place.dataset.rooms, { cache: "no-store", signal: AbortSignal.timeout?.(PATIENCE) });
    isOver = answer.status === 403; // signed out: the page notices that by itself
    if (answer.ok) {
      const text = await answer.text();
      if (text !== last && show(text)) last = text;
      prepare();
      announce();
    }
  } catch {
    // offline: the list stands as it is
  } finally {
    asking = false;
    if (!isOver) again = setTimeout(look, document.visibilityState === "visible" ? SEEN : UNSEEN);
  }
}

async function decide(form, button) {
  const fields = new URLSearchParams(new FormData(form));
  fields.set(button.name, button.value); // which FormData itself takes along in newer browsers alone
  for (const one of form.querySelectorAll("button")) one.setAttribute("aria-disabled", "true");
  status.textContent = "";
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: fields,
      headers: { Accept: "application/json" },
      signal: AbortSignal.timeout?.(PATIENCE),
    });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const { url, gone } = await answer.json();
    if (url) {
      location.assign(url);
      return;
    }
    status.textContent = gone ? status.dataset.gone : status.dataset.done;
  } catch {
    status.textContent = status.dataset.failed;
  }
  last = "";
  look();
}

async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    status.textContent = status.dataset.copied;
  } catch {
    status.textContent = status.dataset.failed;
  }
}

document.addEventListener("submit", (event) => {
  const { submitter, target } = event;
  if (!submitter || !target.matches("[data-decide]")) return; // a browser that names no button sends the form itself
  event.preventDefault();
  if (submitter.getAttribute("aria-disabled") !== "true") decide(target, submitter);
});
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (button) copy(button);
});
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && look());
addEventListener("pageshow", (event) => event.persisted && look());
prepare();
look();
