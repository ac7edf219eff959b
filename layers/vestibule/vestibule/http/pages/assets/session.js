// A session's page: it counts down by the server's clock, notices every change, and starts
// the session where the person asked for that.
//
// Starting is a POST, so that reading the page changes nothing. Before it, "launch" leaves
// the address: "back" and "reload" show the page, and start nothing a second time.

const PATIENCE = 15_000; // milliseconds for an answer
const AT_ONCE = 2_000; // milliseconds over which those who wait come in, not all at the same moment
const LEAST = 500; // milliseconds: a clock that is a little early must not make the page spin

const page = document.querySelector("[data-session]");
const { stateUrl, version, phase, launch } = page.dataset;
const status = page.querySelector("[role=status]");
const timer = page.querySelector("[role=timer]");
const form = page.querySelector("form");
const loaded = Date.now();
let again = 0;
let asking = false;
let starting = false;

// --- waiting ---------------------------------------------------------------------------

function remaining() {
  return Number(page.dataset.opensIn) - (Date.now() - loaded);
}

function parts(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const units = [
    [Math.floor(seconds / 86400), timer.dataset.days],
    [Math.floor(seconds / 3600) % 24, timer.dataset.hours],
    [Math.floor(seconds / 60) % 60, timer.dataset.minutes],
    [seconds % 60, timer.dataset.seconds],
  ];
  const first = Math.max(0, units.findIndex(([count]) => count > 0));
  return (first < 0 ? units.slice(-1) : units.slice(first, first + 2)).map((unit) => unit.join("\u00a0")).join(" ");
}

function count() {
  const left = remaining();
  if (left <= 0) {
    setTimeout(() => location.reload(), LEAST + Math.random() * AT_ONCE);
    return;
  }
  timer.textContent = parts(left);
  timer.hidden = false;
  setTimeout(count, Math.min(left, left % 1000 || 1000));
}

// --- noticing what changes --------------------------------------------------------------

async function state() {
  try {
    const answer = await fetch(stateUrl, {
      cache: "no-store",
      headers: { Accept: "application/json" },
      signal: AbortSignal.timeout(PATIENCE),
    });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null; // offline: the page stands as it is
  }
}

async function look() {
  clearTimeout(again);
  if (asking || starting || document.visibilityState !== "visible") return;
  asking = true;
  const found = await state();
  asking = false;
  // An older version comes from a table that is a moment behind: it is no news.
  const isNews = found && (found.phase === "gone" || found.version > Number(version) || (found.version === Number(version) && found.phase !== phase));
  if (isNews && !starting) location.reload();
  else again = setTimeout(look, found ? found.again_in : Number(page.dataset.againIn));
}

// --- going in ---------------------------------------------------------------------------

function forgetLaunch() {
  const here = new URL(location.href);
  for (const name of [...here.searchParams.keys()]) {
    if (name.toLowerCase() === "launch") here.searchParams.delete(name);
  }
  history.replaceState(history.state, "", here);
}

async function start() {
  if (starting) return;
  starting = true;
  const button = form.querySelector("button");
  button.setAttribute("aria-disabled", "true");
  status.textContent = status.dataset.joining;
  forgetLaunch();
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      headers: { Accept: "application/json" },
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const { url, reload } = await answer.json();
    if (reload) location.reload();
    else location.assign(url);
    setTimeout(rest, PATIENCE, status.dataset.opened);
  } catch {
    rest(status.dataset.failed);
  }
}

function rest(text) {
  starting = false;
  form.querySelector("button").removeAttribute("aria-disabled");
  status.textContent = text;
  again = setTimeout(look, Number(page.dataset.againIn));
}

// --- the visitor's own time ---------------------------------------------------------------

// As the visitor writes times, if that is in the page's language at all.
const { lang } = document.documentElement;
const languages = [...navigator.languages.filter((one) => one.split("-")[0] === lang.split("-")[0]), lang];

function showLocalTime(element) {
  const format = new Intl.DateTimeFormat(languages, { dateStyle: "full", timeStyle: "short" });
  const { timeZone } = format.resolvedOptions();
  if (timeZone === element.dataset.zone) return;
  const [starts, ends] = [element.dataset.starts, element.dataset.ends].map((text) => new Date(text));
  element.querySelector("time").textContent = format.formatRange(starts, ends);
  element.querySelector("span").textContent = `(${timeZone})`;
  const opening = page.querySelector("[data-opening]");
  if (opening) {
    const clock = new Intl.DateTimeFormat(languages, { timeStyle: "short" });
    opening.textContent = clock.format(new Date(opening.dateTime));
  }
}

showLocalTime(document.querySelector("[data-starts]"));
if (timer) count();
if (form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    start();
  });
  if (launch === "start") addEventListener("load", start);
}
document.addEventListener("visibilitychange", look);
// "Back" may bring the page out of the browser's memory, as it was when it was left.
addEventListener("pageshow", (event) => event.persisted && location.reload());
again = setTimeout(look, Number(page.dataset.againIn));
