// What a page in a frame tells the page around it: by name, to the account's own origins alone.

const origins = document.querySelector("meta[name=vestibule-parents]").content.split(" ");

function targets() {
  // Where the browser says who is around us, nobody else is even tried.
  const [nearest] = location.ancestorOrigins ?? [];
  return nearest ? origins.filter((origin) => origin === nearest) : origins;
}

function tell(said) {
  if (window.parent === window) return;
  for (const origin of targets()) window.parent.postMessage({ source: "vestibule", ...said }, origin);
}

document.addEventListener("vestibule:tell", ({ detail }) => tell(detail));
// A page that lets nobody in says why in its head; no other script is on it.
const error = document.querySelector("meta[name=vestibule-error]");
if (error) tell({ type: "error", code: error.content });
