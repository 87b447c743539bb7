// What happens after Speak: one stream brings progress and sound; playing, seeking, read-along, download.
const { tts } = window;
const $ = (selector) => element.querySelector(selector);
const FORMAT = "tts.format", STEP = 5; // seconds per arrow key
const sound = new Sound(), wave = new Waveform($(".wave"), () => paint());
const slider = $(".wave"), list = new ReadAlong($(".segments")), format = $(".format"), link = $(".download");
const NONE = [];
const idle = () => ({ phase: "idle", segments: NONE, done: 0 });
let job = idle(), preview = null, stream = null, run = 0, view = "preview";

// ---- the request

function begin() {
  drop();
  sound.clear();
  wave.clear();
  job = { ...idle(), phase: "sending" };
  sound.unlock();
  show();
  scrollTo();
}

// Ends the request under way, on the server too. The stream's end alone would do, a little later.
function drop() {
  run += 1;
  stream?.abort();
  stream = null;
  if (busy() && job.request) cancel(job.request);
}

const cancel = (id) => fetch(tts.url(`v1/requests/${encodeURIComponent(id)}`), { method: "DELETE", keepalive: true }).catch(() => {});
const busy = () => ["sending", "queued", "started"].includes(job.phase);

function stop() {
  drop();
  if (busy()) job.phase = "stopped";
  sound.pause();
  show();
}

function fail(error) {
  if (busy()) job.phase = "failed";
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
  show();
  follow(job, run);
}

const TAKE = {
  queued(event) { Object.assign(job, { phase: "queued", ahead: event.position, eta: event.eta }); },
  started(event) {
    job.phase = "started";
    job.segments = event.segments.map((text) => ({ text }));
  },
  audio(event) {
    const samples = decodePcm(event.pcm), first = !sound.length;
    job.segments[event.index].start ??= sound.duration;
    sound.push(samples, event.rate);
    wave.push(samples, event.rate);
    if (first) sound.play(0);
  },
  segment(event) {
    job.done = event.index + 1;
    Object.assign(job.segments[event.index], { start: event.start, seconds: event.seconds });
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

// ---- what is seen

function words() {
  const total = job.segments.length;
  switch (job.phase) {
    case "sending": return tts.t("state_sending");
    case "queued": return waiting();
    case "started": return job.done ? tts.t("state_progress", { done: job.done, total }) : tts.t("state_first");
    case "done": return tts.t("state_done", { n: total });
    case "stopped": return tts.t(sound.length ? "state_stopped_kept" : "state_stopped");
    case "failed": if (total) return tts.t("state_failed"); // falls through: refused at once, nothing to tell of
    default: return preview ? tts.t("state_preview") : tts.t("state_idle");
  }
}

function waiting() {
  if (["loading", "waking", "restarting"].includes(tts.status?.state)) return tts.t("state_loading");
  if (!job.ahead) return tts.t("state_next");
  const ahead = tts.t("state_ahead", { n: job.ahead });
  return job.eta == null ? ahead : `${ahead} · ${tts.t("state_eta", { time: tts.duration(job.eta) })}`;
}

const say = (box, text) => { if (box.textContent !== text) box.textContent = text; };

function show() {
  const playing = Boolean(sound.playing && !sound.ended);
  element.dataset.phase = job.phase;
  element.dataset.playing = String(playing);
  document.body.dataset.job = busy() || playing ? "busy" : "idle";
  say($(".state"), words());
  showError();
  const total = job.segments.length;
  $(".progress").style.setProperty("--part", total ? job.done / total : 0);
  const play = $(".play");
  play.disabled = !sound.length;
  play.setAttribute("aria-label", tts.t(playing ? "pause" : sound.ended ? "replay" : "play"));
  slider.setAttribute("aria-disabled", String(!sound.length));
  slider.tabIndex = sound.length ? 0 : -1;
  showLink();
  showList();
  paint();
  if (sound.playing) animate();
}

function showError() {
  const { error } = job, box = $(".notice");
  box.hidden = !error;
  const text = !error ? "" : error.key ? tts.t(error.key) : tts.lang() === "zh-CN" ? error.message_zh : error.message;
  say($(".notice-text"), text);
}

function showLink() {
  const ready = job.phase === "done";
  link.setAttribute("aria-disabled", String(!ready));
  if (ready) link.href = tts.url(`v1/audio/outputs/${job.id}?format=${format.value}&download=1`);
  else link.removeAttribute("href");
}

// The sound's segments; once the text has changed and nothing sounds, those of the new text.
function showList() {
  const ofSound = job.segments.length && (view === "sound" || busy() || sound.playing);
  if (ofSound) list.show("sound", job.segments);
  else list.show("preview", preview?.segments ?? NONE);
}

function scrollTo() {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const { top, bottom } = element.getBoundingClientRect(), room = innerHeight - 96; // the bar of a phone
  if (top < 0 || Math.min(bottom, top + 240) > room) element.scrollIntoView({ block: "center", behavior: calm ? "auto" : "smooth" });
}

// How long the whole will be, by the letters that are already spoken.
function expected() {
  if (!busy() || !job.done) return sound.duration;
  const letters = (items) => items.reduce((sum, s) => sum + s.text.length, 0);
  const share = letters(job.segments.slice(0, job.done)) / Math.max(1, letters(job.segments));
  const made = job.segments[job.done - 1];
  return Math.max(sound.duration, (made.start + made.seconds) / share);
}

function paint() {
  const position = sound.position, total = expected();
  wave.draw(position, sound.duration, total);
  list.mark((sound.playing || position > 0) && !sound.ended ? position : null);
  const now = tts.clock(position), whole = (busy() && job.done ? "≈" : "") + tts.clock(total);
  say($(".time"), sound.length ? `${now} / ${whole}` : "");
  slider.setAttribute("aria-valuenow", String(Math.round(position)));
  slider.setAttribute("aria-valuemax", String(Math.round(sound.duration)));
  slider.setAttribute("aria-valuetext", `${now} / ${whole}`);
}

let animated = false;
function animate() {
  if (animated) return;
  animated = true;
  const frame = () => {
    if (sound.playing && sound.ended) sound.pause();
    if (!sound.playing) { animated = false; return show(); }
    paint();
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
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
  const segment = list.at(event.target);
  if (segment) { sound.play(segment.start); show(); }
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
format.addEventListener("change", () => { tts.store.write(FORMAT, format.value); showLink(); });
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
tts.addEventListener("lang", () => { tts.label(element); show(); });
tts.label(element);
show();
