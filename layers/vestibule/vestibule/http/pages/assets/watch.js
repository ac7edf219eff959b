// An open page notices by itself that its sign-in is over.
//
// It asks once a minute while somebody can see it, and at once when it is looked at again.
// Asking is no activity: it does not keep the sign-in alive. When the sign-in is over, or
// another person has signed in here since, the page loads again, and the server decides
// where the browser goes from there.

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
      signal: AbortSignal.timeout(PATIENCE),
    });
    return answer.ok ? (await answer.json()).state : "unknown";
  } catch {
    return "unknown"; // offline is not signed out
  }
}

async function look() {
  clearTimeout(timer);
  if (asking || document.visibilityState !== "visible") return;
  asking = true;
  const found = await state();
  asking = false;
  if (found === "none" || (login && found === "elsewhere")) location.reload();
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
