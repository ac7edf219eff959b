// A session's page: it counts down by the server's clock, notices every change, and starts
// the session where the person asked for that.
//
// Starting is a POST, so that reading the page changes nothing. Before it, "launch" leaves
// the address: "back" and "reload" show the page, and start nothing a second time. What the
// answer opens is stage.js's business; the two speak by events of the document:
//
//   vestibule:shown     a session has been put on the page (embed.js)
//   vestibule:begun     the page knows its session
//   vestibule:join      go in
//   vestibule:going     about to: whoever has something to say adds it to the form's fields
//   vestibule:launch    somebody is in: where the stage is, and their seat
//   vestibule:unseated  somebody is not, and why
//   vestibule:reload    the page is no longer true; whoever cancels it mends it without a reload
//   vestibule:tell      something that a page around this one may want to know (parent.js)

const PATIENCE = 15_000; // milliseconds for an answer; a browser from before 2022 cannot be told, and waits
const ONCE_MORE = 3_000; // milliseconds until the next try while the network is away
const FAILURES = new Set([408, 429]); // statuses below 500 that mean: later
const AT_ONCE = 2_000; // milliseconds over which those who wait come in, not all at the same moment
const LEAST = 500; // milliseconds: a clock that is a little early must not make the page spin

let page, status, timer, form;
let loaded = 0;
let again = 0;
let counting = 0;
let asking = false;
let starting = false;
let isInside = false;

const say = (name, detail = {}) => document.dispatchEvent(new CustomEvent(`vestibule:${name}`, { detail, cancelable: true }));
const isFramed = window.parent !== window;

function reload() {
  if (say("reload")) location.reload();
}

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
    counting = setTimeout(openUp, LEAST + Math.random() * AT_ONCE);
    return;
  }
  timer.textContent = parts(left);
  timer.hidden = false;
  counting = setTimeout(count, Math.min(left, left % 1000 || 1000));
}

// The network may be away just then, as when a telephone wakes up: a reload would leave the browser's own page.
async function openUp() {
  const mine = page;
  const found = await state();
  if (mine !== page || starting || isInside) return;
  if (found) reload();
  else counting = setTimeout(openUp, ONCE_MORE);
}

// --- noticing what changes --------------------------------------------------------------

async function state() {
  try {
    const answer = await fetch(page.dataset.stateUrl, {
      cache: "no-store",
      headers: { Accept: "application/json" },
      signal: AbortSignal.timeout?.(PATIENCE),
    });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null; // offline: the page stands as it is
  }
}

function isNews(found) {
  const known = Number(page.dataset.version);
  // An older version comes from a table that is a moment behind: it is no news.
  return found.phase === "gone" || found.version > known || (found.version === known && found.phase !== page.dataset.phase);
}

async function look() {
  clearTimeout(again);
  if (!page || asking || starting || isInside || document.visibilityState !== "visible") return;
  asking = true;
  const found = await state();
  asking = false;
  if (starting || isInside) return;
  if (found && isNews(found)) reload();
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
  if (starting || !form) return;
  starting = true;
  form.querySelector("button").setAttribute("aria-disabled", "true");
  status.textContent = status.dataset.joining;
  forgetLaunch();
  const body = new URLSearchParams(new FormData(form));
  say("going", { fields: body });
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body,
      headers: { Accept: "application/json" },
      signal: AbortSignal.timeout?.(PATIENCE),
    });
    if (answer.ok) go(await answer.json());
    else fail(answer.status < 500 && !FAILURES.has(answer.status) ? "refused" : "unavailable");
  } catch {
    fail("unavailable");
  }
}

function fail(code) {
  rest(code === "refused" ? status.dataset.refused : status.dataset.failed);
  if (!isInside) say("tell", { type: "error", code });
}

function go(found) {
  if (found.reload) reload();
  else if (found.unseated) settle("unseated", { reason: found.unseated });
  else if (found.stays) settle("launch", found);
  else {
    location.assign(found.url);
    setTimeout(rest, PATIENCE, status.dataset.opened);
  }
}

function settle(name, detail) {
  isInside = true;
  rest("");
  say(name, detail);
}

function rest(text) {
  starting = false;
  form.querySelector("button").removeAttribute("aria-disabled");
  status.textContent = text;
  // Where the card is hidden, because somebody sits or sat here, it is said below.
  document.querySelector("[data-trouble]").textContent = isInside ? text : "";
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

function offerNewTab() {
  const { pass } = page.dataset;
  for (const link of document.querySelectorAll("[data-new-tab]")) {
    link.href = pass ? `${location.pathname}#pass=${encodeURIComponent(pass)}` : location.pathname;
    link.hidden = !isFramed;
  }
}

// --- a page is there ------------------------------------------------------------------------

function begin() {
  clearTimeout(again);
  clearTimeout(counting);
  const found = document.querySelector("[data-session]");
  if (!found || found === page) return;
  page = found;
  [status, timer, form] = ["[role=status]", "[role=timer]", "form"].map((one) => page.querySelector(one));
  loaded = Date.now();
  starting = isInside = false;
  showLocalTime(document.querySelector("[data-starts]"));
  offerNewTab();
  if (timer) count();
  again = setTimeout(look, Number(page.dataset.againIn));
  say("tell", { type: "ready", phase: page.dataset.phase });
  if (!form) return;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    start();
  });
  say("begun");
  const { launch } = page.dataset;
  if (launch === "start" || (launch === "framed" && isFramed)) start();
}

document.addEventListener("visibilitychange", look);
document.addEventListener("vestibule:shown", begin);
document.addEventListener("vestibule:join", start);
// "Back" may bring the page out of the browser's memory, as it was when it was left.
addEventListener("pageshow", (event) => event.persisted && reload());
// After the other scripts, which listen to what this one says.
addEventListener("load", begin);
