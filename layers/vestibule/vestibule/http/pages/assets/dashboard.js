// The person's sessions while the page is open: the one that the link names comes into view and,
// if the link says so, is started; and each one's state follows the time.

const EVERY = 15_000; // milliseconds between two looks at the clock

const list = document.querySelector("[data-now]");
const ahead = Number(list.dataset.now) - Date.now(); // how far the server's clock is ahead of this one

function stateAt(now, [opens, starts, ends]) {
  if (now >= ends) return "over";
  if (now >= starts) return "running";
  return now >= opens ? "open" : "upcoming";
}

function look() {
  for (const session of document.querySelectorAll("[data-moments]")) {
    if (session.dataset.state === "cancelled") continue;
    const state = stateAt(Date.now() + ahead, session.dataset.moments.split(" ").map(Number));
    if (state === session.dataset.state) continue;
    session.dataset.state = state;
    session.querySelector("[data-label]").textContent = list.dataset[state];
    const join = session.querySelector("[data-join]");
    join?.classList.toggle("quiet", state === "upcoming");
    if (state === "over") join?.remove();
  }
}

function start(status) {
  status.textContent = status.dataset.text;
  // Neither "back" nor a reload may start it again: the address forgets what it asked for.
  const here = new URL(location.href);
  for (const name of [...here.searchParams.keys()]) {
    if (name.toLowerCase() === "launch") here.searchParams.delete(name);
  }
  history.replaceState(null, "", here);
  location.assign(status.dataset.launch);
}

function arrive() {
  document.querySelector("[data-named]")?.scrollIntoView({ block: "center" });
  const status = document.querySelector("[data-launch]");
  if (status) start(status);
}

// Once the page is there, all of it, as the link's maker expects; and after the event that says
// so: whoever leaves a page before takes its place in the history, and "back" would skip it.
const afterwards = () => setTimeout(arrive);
const whenComplete = () => {
  if (document.readyState === "complete") afterwards();
  else addEventListener("load", afterwards, { once: true });
};
// A page that the browser makes ahead of the click starts nothing before somebody looks at it.
if (document.prerendering) document.addEventListener("prerenderingchange", whenComplete, { once: true });
else whenComplete();

// "Back" may bring the page out of the browser's memory, as it was when it was left.
addEventListener("pageshow", (event) => {
  const status = document.querySelector("[data-launch]");
  if (event.persisted && status) status.textContent = "";
  look();
});
document.addEventListener("visibilitychange", look);
setInterval(look, EVERY);
