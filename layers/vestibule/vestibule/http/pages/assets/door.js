// Who was sent to a room's door by name begins to wait without a click, once: "back" and "reload"
// show the page and start nothing.

const here = new URL(location.href);
for (const name of [...here.searchParams.keys()]) {
  if (name.toLowerCase() === "launch") here.searchParams.delete(name);
}
history.replaceState(history.state, "", here);
const start = () => document.querySelector("[data-starts] button").click();
// A page that the browser makes ahead of the click starts nothing before somebody looks at it.
if (document.prerendering) document.addEventListener("prerenderingchange", start, { once: true });
else start();
