// Who is in the sessions that the person hosts, while these are open: a line of each, which renews itself.
//
// The lines come made by the server, so that what they say is in the language of the page. They are
// asked for after the page is there, and less often while nobody looks; asking keeps nobody signed in.

const SEEN = 10_000; // milliseconds between two questions while somebody looks at the page
const UNSEEN = 60_000; // and while nobody does
const PATIENCE = 15_000; // for an answer
const AT_ONCE = 8; // sessions that one question may be about
const OPEN = new Set(["open", "running"]);

const { presence } = document.querySelector("[data-presence]").dataset;
let again = 0;
let asking = false;
let isOver = false;

function show(text, asked) {
  const made = new DOMParser().parseFromString(text, "text/html");
  for (const place of asked) {
    const line = made.querySelector(`[data-in="${place.dataset.in}"]`);
    if (place.textContent !== (line?.textContent ?? "")) place.replaceChildren(...(line?.childNodes ?? []));
  }
}

async function look() {
  clearTimeout(again);
  if (asking || isOver) return;
  asking = true;
  try {
    const places = [...document.querySelectorAll("[data-in]")];
    const isOpen = (place) => OPEN.has(place.closest("[data-state]").dataset.state);
    for (const place of places) if (!isOpen(place)) place.replaceChildren();
    const asked = places.filter(isOpen).slice(0, AT_ONCE);
    if (asked.length) {
      const ids = asked.map((place) => place.dataset.in).join(".");
      const answer = await fetch(`${presence}?sessions=${ids}`, {
        cache: "no-store",
        signal: AbortSignal.timeout?.(PATIENCE),
      });
      isOver = answer.status === 403; // signed out: the page notices that by itself
      if (answer.ok) show(await answer.text(), asked);
    }
  } catch {
    // offline: what was said stands
  } finally {
    asking = false;
    if (!isOver) again = setTimeout(look, document.visibilityState === "visible" ? SEEN : UNSEEN);
  }
}

document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && look());
addEventListener("pageshow", (event) => event.persisted && look());
look();
