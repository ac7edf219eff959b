// What a page in a frame tells the page around it: by name, to the account's own origins alone.

const origins = document.querySelector("meta[name=vestibule-parents]").content.split(" ");

function targets() {
  // Where the browser says who is around us, nobody else is even tried.
  const [nearest] = location.ancestorOrigins ?? [];
  return nearest ? origins.filter((origin) => origin === nearest) : origins;
}

document.addEventListener("vestibule:tell", ({ detail }) => {
  if (window.parent === window) return;
  for (const origin of targets()) window.parent.postMessage({ source: "vestibule", ...detail }, origin);
});
