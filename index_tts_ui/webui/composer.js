// The text: live count, preview of its segments, draft kept in the browser, examples, Ctrl+Enter.
const { tts } = window;
const DRAFT = "tts.draft", PAUSE_MS = 350;
const $ = (selector) => element.querySelector(selector);
const area = () => document.querySelector("#text textarea");
// what is wrong with a mark in the text, or not allowed, is told while it is typed; the rest, once it is to be spoken
const TOLD_EARLY = ["voice_not_found", "pause_too_long", "too_many_marks", "text_refused"];
let timer = 0, asked = null, known = null, wrong = "";

function count() {
  const n = [...(area()?.value ?? "")].length, limit = tts.data.maxText;
  const over = n > limit;
  $(".count").textContent = over ? tts.t("count_over", { n, limit }) : tts.t("count", { n });
  $(".meta").classList.toggle("over", over);
  return n > 0 && !over;
}

function estimate() {
  const box = $(".estimate"), problem = $(".problem");
  if (problem.textContent !== wrong) problem.textContent = wrong;
  if (!known?.segments.length) { box.textContent = ""; return; }
  const n = known.segments.length;
  const parts = [tts.t("segments", { n }), tts.t("about", { time: tts.duration(known.estimated_seconds) })];
  if ("segment_tokens" in tts.data.parameters) parts.splice(1, 0, tts.t("tokens", { n: known.tokens }));
  box.textContent = parts.join(" · ");
}

function show(preview) {
  known = preview;
  estimate();
  tts.emit("preview", preview);
}

function inWords({ code, message }) {
  const [, voice] = /['“](.*)['”]/.exec(message) ?? [];
  return code === "voice_not_found" && voice ? tts.t("said_voice_not_found", { voice }) : message;
}

async function preview() {
  asked?.abort();
  const text = area().value;
  wrong = "";
  if (!count() || !text.trim()) return show(null);
  asked = new AbortController();
  const { language = "", reference = null, params = {} } = tts.tuning.said();
  const { segment_tokens, pause_ms, duration_factor = 1 } = params; // what is undefined is not sent
  const speed = Math.min(4, Math.max(0.25, (tts.settings.values?.[3] ?? 1) / duration_factor));
  try {
    const answer = await fetch(tts.url("v1/audio/preview"), {
      method: "POST", headers: { "Content-Type": "application/json", "Accept-Language": tts.lang() }, signal: asked.signal,
      body: JSON.stringify({ text, language, voice: reference === null ? tts.voice ?? "" : reference && `clip:${reference}`, segment_tokens, pause_ms, speed }),
    });
    const told = await answer.json();
    if (area().value !== text) return;
    wrong = TOLD_EARLY.includes(told.error?.code) && told.error.param === "input" ? inWords(told.error) : "";
    show(answer.ok ? told : null);
  } catch (error) {
    if (error.name !== "AbortError") show(null); // the badge says that the server is away
  }
}

function typed() {
  count();
  tts.own.write(DRAFT, area().value);
  tts.emit("typed");
  clearTimeout(timer);
  timer = setTimeout(preview, PAUSE_MS);
}

// As if typed, so that Gradio takes it over and Ctrl+Z brings the old text back.
function fill(text) {
  const box = area();
  box.focus();
  box.select();
  if (!document.execCommand("insertText", false, text)) {
    box.value = text;
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }
  box.setSelectionRange(0, 0);
  box.scrollTop = 0;
}

function restore() {
  const draft = tts.own.read(DRAFT), box = area();
  if (draft && box && !box.value) {
    box.value = draft;
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

document.addEventListener("input", (event) => { if (event.target === area()) typed(); });
// Esc belongs first to what is open: a list, a menu, a dialogue.
const OPEN = "[aria-expanded=true][role=combobox], dialog, [role=dialog]";
document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.defaultPrevented) return;
  const speak = document.querySelector("#speak");
  if (!speak?.checkVisibility()) return; // another tab is open
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    speak.click();
  } else if (event.key === "Escape" && document.body.dataset.job === "busy" && !event.target.closest?.(OPEN)) {
    document.querySelector("#stop").click();
  }
});
$(".keys-button").addEventListener("click", () => {
  const keys = $(".keys"), button = $(".keys-button");
  keys.hidden = !keys.hidden;
  button.setAttribute("aria-expanded", String(!keys.hidden));
});
document.addEventListener("click", (event) => {
  const chosen = event.target.closest?.("[data-example]");
  if (chosen) fill(tts.data.examples[chosen.dataset.example]);
});
// Gradio filters by what is typed and starts from the chosen name: select it, so that typing replaces it.
document.addEventListener("focusin", (event) => {
  if (event.target.matches?.("#voice input, #second input")) event.target.select();
});
let said = "";
tts.addEventListener("voice", () => { if (area()?.value) preview(); });
tts.addEventListener("dictionary", () => { if (area()?.value) preview(); });
tts.addEventListener("tuning", () => { // a slider says so at every step
  const { language, reference, params } = tts.tuning.said(), now = JSON.stringify([language, reference, params?.segment_tokens, params?.pause_ms, params?.duration_factor]);
  if (now === said) return;
  said = now;
  clearTimeout(timer);
  timer = setTimeout(preview, PAUSE_MS);
});
tts.addEventListener("status", (event) => { if (event.detail.state !== "gone" && !known && area()?.value) preview(); });
// Gradio names the two inputs of a slider half in English, and has no tooltip for a button.
function nameControls() {
  tts.present("#speak").then((button) => { button.title = tts.t("shortcut"); });
  document.querySelectorAll("#tabs > .tab-wrapper > .overflow-menu > button").forEach((e) => e.setAttribute("aria-label", tts.t("tabs_more")));
  for (const key of ["speed", "share"]) {
    document.querySelectorAll(`#${key} input`).forEach((e) => {
      if (e.ariaLabel !== tts.t(key)) e.setAttribute("aria-label", tts.t(key)); // or the observer would never rest
    });
  }
}
// It names them again whenever it draws them, at a time of its own.
const named = new MutationObserver(nameControls);
tts.addEventListener("lang", () => { tts.label(element); count(); estimate(); if (wrong) preview(); setTimeout(nameControls, 100); });
tts.label(element);
count();
tts.present("#text textarea").then((box) => {
  restore();
  if (matchMedia("(hover: hover)").matches) box.focus({ preventScroll: true }); // not where a keyboard would pop up
});
tts.present("#speed input[type=range]").then(() => {
  nameControls();
  document.querySelectorAll("#speed, #share").forEach((e) => named.observe(e, { subtree: true, childList: true, attributeFilter: ["aria-label"] }));
});
