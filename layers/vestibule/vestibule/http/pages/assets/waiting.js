// Somebody waits in a room: the page says every few seconds that it is open, and goes on as soon as
// it hears that they are let in, or turned away.
//
// It asks also while nobody looks at it: who waits may read something else meanwhile. A browser that
// lets hidden pages ask once a minute still asks often enough to keep the place.

const PATIENCE = 15_000; // milliseconds for an answer

const page = document.querySelector("[data-waiting]");
const { waiting, ticket, formToken, here } = page.dataset;
const status = page.querySelector("[role=status]");
const minutes = page.querySelector("[data-minutes]");
let again = 0;
let asking = false;
let isOver = false;

function body() {
  if (ticket) return new URLSearchParams({ ticket, form_token: formToken });
  return new URLSearchParams(new FormData(page.querySelector("form")));
}

async function ask() {
  try {
    const answer = await fetch(waiting, {
      method: "POST",
      body: body(),
      cache: "no-store",
      headers: { Accept: "application/json" },
      signal: AbortSignal.timeout?.(PATIENCE),
    });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null; // offline: the place is kept for a while, and the next question may get through
  }
}

// The page of a session goes in by its own button's way, and forgets "launch" there.
function wayTo(name) {
  const target = new URL(here, location.href);
  target.searchParams.set(name, "1");
  return target;
}

function follow(found) {
  if (found.state === "admitted" && (found.url || ticket)) {
    if (status) status.textContent = status.dataset.admitted;
    location.replace(found.url ?? wayTo("launch"));
  } else if (found.state === "turned_away" && ticket) {
    location.replace(wayTo("turned_away"));
  } else if (found.state === "turned_away" || (found.state === "gone" && !ticket)) {
    location.replace(here);
  } else {
    return false;
  }
  return true;
}

async function look() {
  clearTimeout(again);
  if (asking || isOver) return;
  asking = true;
  const found = await ask();
  asking = false;
  if (isOver || (found && follow(found))) return;
  if (status) status.textContent = found ? "" : status.dataset.offline;
  again = setTimeout(look, found?.again_in ?? Number(page.dataset.againIn));
}

function count() {
  const passed = Number(minutes.dataset.minutes) + Math.floor((Date.now() - loaded) / 60_000);
  if (passed > 0) minutes.textContent = minutes.dataset.text.replace("{minutes}", passed);
  minutes.hidden = passed < 1;
}

const loaded = Date.now();
if (minutes) setInterval(count, 10_000);
// Whoever goes in, or leaves, waits no longer; a stage may open on this very page (session.js).
function end() {
  isOver = true;
  clearTimeout(again);
}
document.querySelector("main form")?.addEventListener("submit", end);
document.addEventListener("vestibule:launch", end);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && look());
addEventListener("pageshow", (event) => event.persisted && location.reload());
again = setTimeout(look, Number(page.dataset.againIn));
