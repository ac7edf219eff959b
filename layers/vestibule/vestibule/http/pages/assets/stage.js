// The session in place: the stage in a frame, and around it the seat of the one who looks at it.
//
// As long as the page is open it says every few seconds that it is there; how often, the
// server says in each answer. From the same answer it learns that the person has come in by
// another page, and makes room; and that their role has changed, and opens the stage anew.
//
// A page that goes leaves its seat, so that nobody waits for it. Loaded again, it says whose
// seat it had: should the person sit elsewhere by now, it does not kick them there.
//
// Who came in by a sign-in stays signed in while they sit: being in a session is activity.

const PATIENCE = 10_000; // milliseconds for an answer
const ACTIVE_EVERY = 60_000; // milliseconds
const ALLOWED = "autoplay; camera; clipboard-write; display-capture; fullscreen; microphone";

let seat = "";
let lost = ""; // by a kick
let held = ""; // what the next going in says of
let role = "";
let interval = 15_000; // milliseconds, until the server says otherwise
let timer = 0;
let active = 0; // when the sign-in last heard of it
let frame = null;

const one = (selector) => document.querySelector(selector);
const say = (name, detail = {}) => document.dispatchEvent(new CustomEvent(`vestibule:${name}`, { detail, cancelable: true }));

function post(url, fields, more = {}) {
  return fetch(url, {
    method: "POST",
    body: new URLSearchParams(fields),
    cache: "no-store",
    headers: { Accept: "application/json" },
    signal: AbortSignal.timeout?.(PATIENCE),
    ...more,
  });
}

const key = () => `vestibule-seat-${one(".live").dataset.live}`;

// Beside the address, where a browser keeps nothing for pages in frames.
function keep(value) {
  try {
    sessionStorage.setItem(key(), value);
  } catch {
    history.replaceState({ ...history.state, seat: value }, "");
  }
}

// Taken out at once, so that a copy of the tab is a page of its own.
function take() {
  try {
    const found = sessionStorage.getItem(key()) ?? "";
    sessionStorage.removeItem(key());
    return found;
  } catch {
    const found = history.state?.seat ?? "";
    history.replaceState({ ...history.state, seat: "" }, "");
    return found;
  }
}

// --- sitting ---------------------------------------------------------------------------------

function show(name) {
  document.body.toggleAttribute("data-live", name === "live");
  one(".card.message:not([data-unseated])").hidden = true;
  one(".live").hidden = name !== "live";
  one("[data-unseated]").hidden = name !== "unseated";
}

function open(url, inPlace) {
  const place = one(".frame");
  if (!inPlace) {
    location.assign(url); // an application's address: this page stays
    return;
  }
  // A new frame each time: another address in the old one would be a step of "back".
  frame = document.createElement("iframe");
  frame.title = place.dataset.title;
  frame.allow = ALLOWED;
  frame.src = url;
  place.replaceChildren(frame);
}

const whose = (token) => token.split(".")[0];

function sit(found) {
  const isChange = seat && role !== found.role;
  if (held && whose(held) !== whose(found.seat)) goodbye(held); // another person has come in by this page
  [seat, lost, held, role, interval, active] = [found.seat, "", "", found.role, found.interval, Date.now()];
  take(); // what a kick before has left there
  show("live");
  const status = one(".live [role=status]");
  status.textContent = found.in_place ? status.dataset[role] : status.dataset.application;
  open(found.url, found.in_place);
  wait();
  say("tell", { type: isChange ? "role" : "joined", role });
}

function wait() {
  clearTimeout(timer);
  timer = setTimeout(beat, interval);
}

async function beat() {
  const [mine, place] = [seat, one("[data-beat-url]")];
  if (!place) return; // the session is no longer on the page
  let found = null;
  try {
    const answer = await post(place.dataset.beatUrl, { seat });
    found = answer.ok ? await answer.json() : null;
  } catch {
    found = null; // offline: said again after the same while
  }
  if (seat !== mine || !seat) return;
  if (found?.state === "unseated") getUp(found.reason);
  else if (found?.phase === "cancelled") say("reload") && location.reload();
  else {
    interval = found?.interval ?? interval;
    wait();
    if (found && found.phase !== "over") staySignedIn();
    if (found && found.role !== role) {
      held = seat;
      say("join");
    }
  }
}

async function staySignedIn() {
  const { login } = one(".live").dataset;
  if (!login || Date.now() - active < ACTIVE_EVERY) return;
  active = Date.now();
  try {
    const answer = await fetch(`/sign-in/state?seated=1&login=${encodeURIComponent(login)}`, { cache: "no-store" });
    await answer.text();
  } catch {
    // offline: said again after the same while
  }
}

// --- getting up ------------------------------------------------------------------------------

function getUp(reason) {
  if (reason === "left") {
    // Nobody has heard of this page for too long, and nobody else sits there. The next beat tries again.
    held = seat;
    wait();
    say("join");
    return;
  }
  [lost, seat] = [seat, ""];
  kicked(reason);
}

// Kept at once: a page that is loaded again must not kick back by that.
function kicked(reason) {
  if (lost) keep(lost);
  goAway(reason);
  say("tell", { type: "kicked", reason });
}

function goAway(reason) {
  clearTimeout(timer);
  frame?.remove();
  frame = null;
  const place = one("[data-unseated]");
  place.replaceChildren(one(`template[data-reason="${reason}"]`).content.cloneNode(true));
  place.querySelector("[data-return]").addEventListener("click", () => say("join"));
  show("unseated");
  place.focus();
}

function goodbye(token) {
  post(one("[data-leave-url]").dataset.leaveUrl, { seat: token }, { keepalive: true }).catch(() => {});
}

function leave() {
  if (!seat) return;
  goodbye(seat);
  [seat, lost, held] = ["", "", ""];
  goAway("left");
  say("tell", { type: "left" });
}

document.addEventListener("vestibule:launch", ({ detail }) => sit(detail));
document.addEventListener("vestibule:unseated", ({ detail }) => {
  [lost, seat, held] = [seat || held || lost, "", ""];
  kicked(detail.reason);
});
document.addEventListener("click", ({ target }) => target.closest("[data-leave]") && leave());
// The stage has sent its visitor back: left.js says so from inside the frame.
addEventListener("message", ({ origin, source, data }) => {
  if (origin === location.origin && source === frame?.contentWindow && data?.vestibule === "left") leave();
});
document.addEventListener("vestibule:begun", () => {
  clearTimeout(timer);
  held = seat || take(); // sitting already: the portal has given the frame another token
  seat = "";
  if (held) say("join");
});
document.addEventListener("vestibule:going", ({ detail }) => {
  if (held) detail.fields.set("held", held);
});
addEventListener("pagehide", () => {
  if (!seat) return;
  keep(seat);
  navigator.sendBeacon(one("[data-leave-url]").dataset.leaveUrl, new URLSearchParams({ seat }));
});
