// What is seen of the player: its words, its buttons, the list, the waveform. Nothing is decided here.
function words() {
  const total = job.segments.length;
  switch (job.phase) {
    case "sending": return tts.t("state_sending");
    case "opening": return tts.t("state_opening");
    case "queued": return waiting();
    case "started": return job.done ? tts.t("state_progress", { done: job.done, total }) : tts.t("state_first");
    case "mending": return tts.t("state_progress", { done: job.segments.filter(samplesOf).length, total });
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

const SUBTITLES = ["srt", "vtt"];
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
  const text = !error ? "" : error.key ? tts.t(error.key) : tts.lang() === "zh-CN" ? error.message_zh ?? error.message : error.message;
  say($(".notice-text"), text);
}

function showLink() {
  const ready = job.phase === "done", path = SUBTITLES.includes(format.value) ? "/subtitles" : "";
  link.setAttribute("aria-disabled", String(!ready));
  if (ready) link.href = tts.url(`v1/audio/outputs/${job.id}${path}?format=${format.value}&download=1`);
  else link.removeAttribute("href");
  $(".rest").hidden = !lacking();
}

// The sound's segments; once the text has changed and nothing sounds, those of the new text.
function showList() {
  const ofSound = job.segments.length && (view === "sound" || busy() || sound.playing || repair.index >= 0);
  if (ofSound) list.show("sound", job.segments);
  else list.show("preview", preview?.segments ?? NONE);
  $(".segments").dataset.editable = String(Boolean(ofSound && editable()));
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
    if (sound.over) sound.rewind();
    if (sound.playing && sound.ended) sound.pause();
    if (!sound.playing) { animated = false; return show(); }
    paint();
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}
