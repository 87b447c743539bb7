// The first visit: three steps to the first sound, each with a button that does it. Later it is behind the header's "?".
const { tts } = window;
const SEEN = "tts.welcomed";
const card = element.querySelector(".help"), done = element.querySelector(".help-done");
const steps = Object.fromEntries([...element.querySelectorAll("[data-step]")].map((item) => [item.dataset.step, item]));
const area = () => document.querySelector("#text textarea");
const opener = () => document.querySelector("#header .help-open");
let heard = false;

function show() {
  tts.label(element);
  element.querySelector(".help-voice").textContent = tts.t(tts.data.can.clone ? "help_voice_clone" : "help_voice_more");
  done.textContent = heard ? tts.t("help_done") : "";
  mark();
}

// A step that is done shows a tick; the next one is the one to take.
function mark() {
  const state = { text: Boolean(area()?.value.trim()), voice: Boolean(tts.voice || tts.tuning?.said().reference), speak: heard };
  let next = true;
  for (const [name, item] of Object.entries(steps)) {
    item.dataset.state = state[name] ? "done" : next ? "next" : "later";
    if (!state[name]) next = false;
  }
}

function open(wanted) {
  card.hidden = !wanted;
  opener()?.setAttribute("aria-expanded", String(wanted));
  if (wanted) show();
}

function close() {
  tts.store.write(SEEN, "1");
  open(false);
  opener()?.focus();
}

const ACTIONS = {
  example() { document.querySelector(`[data-example="${tts.lang() === "zh-CN" ? "zh" : "en"}"]`)?.click(); },
  voice() {
    const place = [...document.querySelectorAll("#voice input, #voice button, #voicebox input, #voicebox button, #settings button")].find((e) => e.checkVisibility());
    place?.scrollIntoView({ block: "center" });
    place?.focus();
  },
  speak() { document.querySelector("#speak")?.click(); },
};

element.addEventListener("click", (event) => {
  if (event.target.closest(".help-close")) return close();
  const action = event.target.closest("[data-help]")?.dataset.help;
  if (!action) return;
  tts.openTab("speak"); // it may be behind another one
  ACTIONS[action]();
});
document.addEventListener("click", (event) => {
  if (!event.target.closest?.("#header .help-open")) return;
  const away = !element.checkVisibility(); // behind another tab
  tts.openTab("speak");
  open(away || card.hidden);
});
document.addEventListener("input", (event) => { if (event.target === area() && !card.hidden) mark(); });
tts.addEventListener("voice", () => { if (!card.hidden) mark(); });
tts.addEventListener("playing", () => {
  if (heard) return;
  heard = true;
  tts.store.write(SEEN, "1"); // who has heard something needs no welcome the next time
  if (!card.hidden) show();
});
tts.addEventListener("lang", show);
open(tts.store.read(SEEN) === null);
