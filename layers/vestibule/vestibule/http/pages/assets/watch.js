// An open page notices by itself that its sign-in is over.
//
// It asks once a minute while somebody can see it, and at once when it is looked at again.
// Asking is no activity: it does not keep the sign-in alive. When the sign-in is over, or
// another person has signed in here since, the page loads again, and the server decides
// where the browser goes from there. A form in which somebody typed is sent instead, to be
// kept and not to be done: it comes back to its person once they are signed in again.

const EVERY = 60_000; // milliseconds
const PATIENCE = 10_000; // milliseconds for an answer

const login = document.querySelector("[data-watch]").dataset.watch;
const query = login ? `?login=${encodeURIComponent(login)}` : "";
let timer = 0;
let asking = false;

async function state() {
  try {
    const answer = await fetch(`/sign-in/state${query}`, {
      cache: "no-store",
      headers: { Accept: "application/json" },
      signal: AbortSignal.timeout?.(PATIENCE),
    });
    return answer.ok ? (await answer.json()).state : "unknown";
  } catch {
    return "unknown"; // offline is not signed out
  }
}

const isTyped = (one) =>
  one.options
    ? [...one.options].some((option) => option.selected !== option.defaultSelected)
    : one.value !== one.defaultValue || one.checked !== one.defaultChecked;

function leave() {
  const owner = document.querySelector("input[name=form_user]");
  const controls = owner ? owner.form.querySelectorAll("input:not([type=hidden]), select") : [];
  if (!owner || !("typed" in owner.dataset || [...controls].some(isTyped))) return location.reload();
  const later = Object.assign(document.createElement("input"), { type: "hidden", name: "later", value: "1" });
  owner.form.append(later);
  owner.form.submit();
}

async function look() {
  clearTimeout(timer);
  if (asking || document.visibilityState !== "visible") return;
  asking = true;
  const found = await state();
  asking = false;
  if (found === "none" || (login && found === "elsewhere")) leave();
  else timer = setTimeout(look, EVERY);
}

// Who has just taken over is news once, not again with every reload.
const here = new URL(location.href);
if (here.searchParams.has("switched")) {
  here.searchParams.delete("switched");
  history.replaceState(null, "", here);
}

document.addEventListener("visibilitychange", look);
// "Back" may bring the page out of the browser's memory, as it was before the sign-out.
addEventListener("pageshow", (event) => event.persisted && look());
timer = setTimeout(look, EVERY);
