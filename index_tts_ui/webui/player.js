// What happens after Speak: one stream brings progress and sound; playing, seeking, read-along, download.
const { tts } = window;
const $ = (selector) => element.querySelector(selector);
const FORMAT = "tts.format", STEP = 5; // seconds per arrow key
const sound = new Sound(), wave = new Waveform($(".wave"), () => paint());
const slider = $(".wave"), format = $(".format"), link = $(".download");
const list = new ReadAlong($(".segments"), {
  play: (i) => { sound.play(job.segments[i].start); show(); },
  edit: (i) => { if (editable()) repair.open(i); show(); },
});
const repair = new Repair({
  output: () => job.id,
  anchor: (i) => list.items[i],
  own: (i) => job.segments[i]?.voice ?? "",
  focus: (i) => { show(); list.focus(i); },
  hear,
  take,
});
const NONE = [];
const idle = () => ({ phase: "idle", segments: NONE, done: 0 });
let job = idle(), preview = null, stream = null, run = 0, view = "preview";

// ---- the request

function begin() {
  reset({ phase: "sending" });
  sound.unlock();
  show();
  scrollTo();
}

function reset(next) {
  drop();
  repair.close(false);
  sound.clear();
  wave.clear();
  job = { ...idle(), ...next };
}

// Ends the request under way, on the server too. The stream's end alone would do, a little later.
function drop() {
  run += 1;
  stream?.abort();
  stream = null;
  if (busy() && job.request) cancel(job.request);
}

const cancel = (id) => fetch(tts.url(`v1/requests/${encodeURIComponent(id)}`), { method: "DELETE", keepalive: true }).catch(() => {});
const busy = () => ["sending", "queued", "started", "mending"].includes(job.phase);

function stop() {
  drop();
  if (busy()) job.phase = "stopped";
  sound.pause();
  sound.complete = true;
  show();
}

function fail(error) {
  if (busy() || job.phase === "opening") job.phase = "failed";
  job.error = error;
  show();
}

// One request at a time is on its way to Python, so that an answer belongs to the run that sent it.
const ANSWER_MS = 15000;
let sentBy = 0, answer = Promise.resolve(), settle = () => {};

function answered(value) {
  settle();
  if (sentBy !== run || job.phase !== "sending") { // stopped, or sent anew, before the server had answered
    if (value?.request) cancel(value.request);
    return;
  }
  if (value?.error) return fail(value.error);
  Object.assign(job, { id: value.id, request: value.request, phase: "queued", ahead: 0 });
  remember();
  show();
  follow(job, run);
}

const TAKE = {
  queued(event) { Object.assign(job, { phase: "queued", ahead: event.position, eta: event.eta }); },
  started(event) {
    if (job.phase !== "opening") job.phase = "started";
    const { voices, pauses, lead } = event;
    job.segments = event.segments.map((text, i) => ({ text, voice: voices[i], pause: pauses[i], pause_before: i ? 0 : lead, blocks: [], sounds: {}, ...job.kept?.[i] }));
  },
  audio(event) {
    const samples = decodePcm(event.pcm), first = !sound.length;
    const segment = job.segments[event.index];
    segment.start ??= sound.duration;
    segment.blocks.push(samples);
    sound.push(samples, event.rate);
    wave.push(samples, event.rate);
    if (first && !job.again) { sound.play(0); tts.emit("playing"); }
  },
  segment(event) {
    job.done = event.index + 1;
    Object.assign(job.segments[event.index], { start: event.start, seconds: event.seconds, whole: true });
  },
  ended(event) {
    sound.complete = true;
    if (event.error) return fail({ message: event.error.message, message_zh: event.error.message_zh });
    Object.assign(job, { phase: "done", output: event.output });
  },
};

async function follow(mine, me) {
  stream = new AbortController();
  try {
    for await (const { type, data } of serverEvents(tts.url(`v1/requests/${mine.id}/stream`), stream.signal)) {
      if (me !== run) return;
      TAKE[type]?.(data);
      show();
    }
    if (me === run && busy()) throw new Error("the stream ended early");
  } catch (error) {
    if (me !== run || error.name === "AbortError") return;
    console.warn("stream:", error);
    sound.complete = true;
    fail({ key: "error_lost" });
    tts.ask();
  }
}

// ---- the user

function toggle() {
  if (!sound.length) return;
  view = "sound";
  if (sound.playing) sound.pause();
  else sound.play();
  show();
}

function seekTo(event) {
  const { left, width } = slider.getBoundingClientRect();
  sound.seek(((event.clientX - left) / width) * expected());
  show();
}

const KEYS = {
  ArrowRight: () => sound.seek(sound.position + STEP), ArrowLeft: () => sound.seek(sound.position - STEP),
  Home: () => sound.seek(0), End: () => sound.seek(sound.duration), " ": toggle,
};

element.addEventListener("click", (event) => {
  if (event.target.closest(".play")) toggle();
  if (event.target.closest(".rest")) complete();
  if (event.target.closest(".notice-close")) { job.error = null; show(); }
});
slider.addEventListener("pointerdown", (event) => {
  if (!sound.length) return;
  slider.setPointerCapture(event.pointerId);
  seekTo(event);
});
slider.addEventListener("pointermove", (event) => { if (slider.hasPointerCapture(event.pointerId)) seekTo(event); });
slider.addEventListener("keydown", (event) => {
  if (!sound.length || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
  show();
});
// In the capture phase: before Gradio sends the event, and inside the click, where sound may be unlocked.
let passing = false;
document.addEventListener("click", (event) => {
  if (event.target.closest?.("#stop")) stop();
  const button = event.target.closest?.("#speak");
  if (!button || passing) return;
  event.stopImmediatePropagation();
  view = "sound";
  begin();
  send(button, run);
}, true);
// Gradio reloads the page once an event of its own has met a dead server: so ask first whether there is one.
async function send(button, me) {
  const alive = await tts.ask();
  await Promise.race([answer, new Promise((resolve) => { setTimeout(resolve, ANSWER_MS); })]);
  if (me !== run) return;
  if (!alive) return fail({ key: "error_away" });
  answer = new Promise((resolve) => { settle = resolve; });
  sentBy = me;
  passing = true;
  button.click();
  passing = false;
}
format.value = tts.store.read(FORMAT) || "mp3";
if (!format.value) format.value = "mp3";
format.addEventListener("change", () => {
  if (!SUBTITLES.includes(format.value)) tts.store.write(FORMAT, format.value);
  showLink();
});
watch("value", () => answered(props.value));
tts.addEventListener("refused", () => {
  settle();
  if (sentBy === run && job.phase === "sending") fail({ key: "error_refused" });
});
tts.addEventListener("preview", (event) => { preview = event.detail; show(); });
tts.addEventListener("typed", () => { view = "preview"; show(); });
tts.addEventListener("status", (event) => {
  show();
});
for (const type of ["settings", "tuning", "library"]) tts.addEventListener(type, () => repair.label());
tts.addEventListener("lang", () => { tts.label(element); list.label(); repair.label(); show(); });
tts.label(element);
tts.open = (id) => { tts.openTab("speak"); return open(id); };
tts.addEventListener("open", ({ detail }) => tts.open(detail));
show();
reopen();
