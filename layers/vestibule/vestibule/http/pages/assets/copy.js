// Copies a link or a code. Without a script its text stands there, to be copied by hand.

const status = document.querySelector("[data-copied]");

async function copy(field) {
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    status.textContent = ""; // said again, also for the same words
    status.textContent = status.dataset.copied;
  } catch {
    field.focus(); // it is marked: the keyboard copies it
  }
}

for (const button of document.querySelectorAll("[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  const name = button.firstChild;
  const label = name.data;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await copy(field);
    if (!status.textContent) return;
    name.data = status.dataset.copied;
    setTimeout(() => {
      name.data = label;
      status.textContent = "";
    }, 3_000);
  });
}
