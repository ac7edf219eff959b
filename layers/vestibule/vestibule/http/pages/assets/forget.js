// An address that came with a token is without it before anything else, whatever the page has to say.
// Where the page offers to try again, that goes on with the token.

function forget() {
  const { hash, pathname, search } = location;
  if (hash) history.replaceState(history.state, "", pathname + search);
  return hash;
}

const came = forget();
// A portal may give the frame another token.
addEventListener("hashchange", forget);
addEventListener("DOMContentLoaded", () => {
  for (const link of document.querySelectorAll("a[data-retry]")) link.hash = came;
});
