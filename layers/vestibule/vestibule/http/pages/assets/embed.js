// The page in a portal's frame: changes the token of its address for the session.
//
// The token leaves the address before anything else happens. What it is changed for is the
// session's page, put in the place of this one, with a pass for that session in it: by the
// pass the page goes on, however short-lived the token is. No cookie is set or needed.

const PATIENCE = 15_000; // milliseconds for an answer
const FAILURES = new Set([408, 429]);

const box = document.querySelector("[data-embed]");
const { embed: id, action, registerUrl } = box.dataset;
const key = `vestibule-pass-${id}`;
const say = (name, detail = {}) => document.dispatchEvent(new CustomEvent(`vestibule:${name}`, { detail }));
let proof = null;

function fromAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (location.hash) history.replaceState(history.state, "", location.pathname + location.search);
  const name = ["token", "pass"].find((one) => given.get(one));
  return name ? { [name]: given.get(name) } : null;
}

// Beside the address, where a browser keeps nothing for pages in frames.
function keep(pass) {
  try {
    sessionStorage.setItem(key, pass);
  } catch {
    history.replaceState({ ...history.state, pass }, "");
  }
}

function fromBefore() {
  let pass = "";
  try {
    pass = sessionStorage.getItem(key);
  } catch {
    pass = history.state?.pass;
  }
  return pass ? { pass } : null;
}

function fail(text) {
  const status = document.querySelector("[data-embed]");
  if (!status) {
    location.reload();
    return;
  }
  status.textContent = text;
  const again = document.querySelector("[data-again]");
  again.hidden = false;
  again.onclick = exchange;
  say("tell", { type: "error", code: "unavailable" });
}

async function exchange() {
  box.textContent = box.dataset.coming;
  try {
    const answer = await fetch(action, {
      method: "POST",
      body: new URLSearchParams(window.parent === window ? proof : { ...proof, framed: "1" }),
      cache: "no-store",
      headers: { Accept: "text/html" },
      signal: AbortSignal.timeout?.(PATIENCE),
    });
    if (answer.status >= 500 || FAILURES.has(answer.status)) throw new Error(`status ${answer.status}`);
    show(await answer.text(), answer.status);
  } catch {
    fail(box.dataset.failed);
  }
}

function show(text, status) {
  const found = new DOMParser().parseFromString(text, "text/html");
  document.title = found.title;
  document.body.removeAttribute("data-live"); // of a session in whose place this comes
  document.querySelector("main").replaceChildren(...found.querySelector("main").childNodes);
  const pass = document.querySelector("[data-session]")?.dataset.pass;
  proof = pass ? { pass } : null;
  if (pass) keep(pass);
  if (status === 200) say("shown");
  else say("tell", { type: "error", code: status === 403 ? "refused" : "closed" });
}

function begin() {
  proof = fromAddress() ?? proof ?? fromBefore();
  if (proof) exchange();
  else if (registerUrl) location.replace(registerUrl);
  else {
    document.querySelector("[data-nobody]").hidden = false;
    say("tell", { type: "error", code: "no_token" });
  }
}

document.addEventListener("vestibule:reload", (event) => {
  if (!proof) return;
  event.preventDefault();
  exchange();
});
// A portal that gives the frame another token changes nothing of the address but the fragment.
addEventListener("hashchange", () => location.hash && begin());
begin();
