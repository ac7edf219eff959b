// The device test: shows the camera's picture and the microphone's level, names what was
// found, and says what to do about what was not. Nothing leaves the browser.

const page = document.querySelector("[data-check]");
const video = page.querySelector("video");
const level = page.querySelector(".level");
const meter = page.querySelector("meter");
const [startButton, stopButton] = ["[data-start]", "[data-stop]"].map((one) => page.querySelector(one));
const lines = Object.fromEntries(
  ["browser", "camera", "microphone", "denied"].map((name) => [name, page.querySelector(`[data-${name}]`)]),
);
let streams = [];
let sound = null;

function say(name, text) {
  lines[name].textContent = text;
  lines[name].hidden = !text;
}

function canDoAll() {
  return Boolean(navigator.mediaDevices?.getUserMedia && globalThis.RTCPeerConnection && globalThis.AudioContext);
}

// One device at a time: a missing camera must not hide a working microphone.
async function open(name, constraints) {
  const line = lines[name];
  try {
    const stream = await navigator.mediaDevices.getUserMedia(constraints);
    streams.push(stream);
    say(name, `${line.dataset.good} ${stream.getTracks()[0].label}`);
    return stream;
  } catch (error) {
    if (error.name === "NotAllowedError" || error.name === "SecurityError") say("denied", lines.denied.dataset.text);
    else say(name, ["NotFoundError", "OverconstrainedError"].includes(error.name) ? line.dataset.missing : line.dataset.busy);
    return null;
  }
}

function listen(stream) {
  sound = new AudioContext();
  const analyser = sound.createAnalyser();
  const samples = new Float32Array(analyser.fftSize);
  sound.createMediaStreamSource(stream).connect(analyser);
  const mine = sound;
  const measure = () => {
    if (mine !== sound) return;
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    meter.value = Math.min(1, Math.sqrt(power) * 4);
    requestAnimationFrame(measure);
  };
  level.hidden = false;
  measure();
}

function stop() {
  for (const stream of streams) stream.getTracks().forEach((track) => track.stop());
  streams = [];
  sound?.close();
  sound = null;
  video.srcObject = null;
  video.hidden = level.hidden = stopButton.hidden = true;
}

async function start() {
  stop();
  for (const name of ["camera", "microphone", "denied"]) say(name, "");
  startButton.disabled = true;
  const picture = await open("camera", { video: true });
  if (picture) {
    video.srcObject = picture;
    video.hidden = false;
  }
  const voice = await open("microphone", { audio: true });
  if (voice) listen(voice);
  startButton.disabled = false;
  stopButton.hidden = streams.length === 0;
}

const isAble = canDoAll();
say("browser", isAble ? lines.browser.dataset.good : lines.browser.dataset.bad);
if (isAble) {
  startButton.addEventListener("click", start);
  stopButton.addEventListener("click", () => {
    stop();
    startButton.focus(); // the button that had it is not there any more
  });
  startButton.closest(".actions").hidden = false;
}
addEventListener("pagehide", stop);
