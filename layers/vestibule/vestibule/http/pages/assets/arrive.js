// The refusal page's second look.
//
// Two clicks that left the browser at once arrive as two requests without a cookie. One of
// them redeems, the other is refused, and the refusal may be what the person sees while the
// winner's cookie is still on its way. So this page asks twice more, briefly, whether this
// browser is signed in by this very link, and if it is, goes on to the dashboard.

const WAITS = [400, 1100]; // milliseconds before each question: at 0.4 s and at about 1.5 s
const PATIENCE = 4000; // milliseconds for an answer

const page = document.querySelector("[data-arrive]");
const status = page.querySelector("[role=status]");
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function isHere(login) {
  try {
    const answer = await fetch(`/sign-in/state?login=${encodeURIComponent(login)}`, {
      cache: "no-store",
      headers: { Accept: "application/json" },
      signal: AbortSignal.timeout?.(PATIENCE),
    });
    return answer.ok && (await answer.json()).state === "here";
  } catch {
    return false; // offline or slow: the page stands as it is, and says what to do
  }
}

async function lookAgain({ login, dashboard }) {
  for (const wait of WAITS) {
    await pause(wait);
    if (await isHere(login)) {
      location.replace(dashboard); // replace: "back" must not return to a refusal
      return;
    }
  }
  status.textContent = "";
}

// The link is dead, and still it should not stay in the address bar and the history.
history.replaceState(null, "", "/login");

if (page.dataset.login) {
  status.textContent = status.dataset.checking;
  lookAgain(page.dataset);
}
