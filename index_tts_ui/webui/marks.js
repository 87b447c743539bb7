// Marks in the text: how a word is pronounced, a pause, another voice. Each is put where the cursor is.
const { tts } = window;
const READINGS = { pinyin: ["行", "XING2"], phones: ["minute", "M IH1 . N AH0 T"] };
const PAUSES = [0.3, 0.5, 1, 2, 5]; // seconds
const READINGS_ONLY = tts.data.engine === "indextts2"; // that model takes pinyin in place of the character
const $ = (selector) => element.querySelector(selector);
const box = () => document.querySelector("#text textarea");
const zh = () => tts.lang() === "zh-CN";
const WORDS = { pause: (seconds) => (zh() ? `[停顿 ${seconds}秒]` : `[pause ${seconds}s]`), voice: (name) => (zh() ? `[音色：${name}]` : `[voice: ${name}]`), back: () => (zh() ? "[音色]" : "[voice]") };
let voices = null;

const put = (text) => document.execCommand("insertText", false, text); // Ctrl+Z takes it back

// A reading stands around what is selected, and is itself selected to be typed over.
function reading(kind) {
  const area = box(), [sample, said] = READINGS[kind];
  const chosen = area.value.slice(area.selectionStart, area.selectionEnd).trim() || sample;
  const start = area.selectionStart, before = READINGS_ONLY ? "" : `<${chosen}|`;
  area.focus();
  put(READINGS_ONLY ? said : `${before}${said}>`);
  area.setSelectionRange(start + before.length, start + before.length + said.length);
}

function insert(text) {
  const area = box(), at = area.selectionEnd;
  close();
  area.focus();
  area.setSelectionRange(at, at);
  put(text);
}

// What is selected is spoken by another voice; without a selection, all that follows.
function give({ id, name, name_zh }) {
  const own = zh() ? name_zh : name, same = tts.library.voices.filter((one) => [one.name, one.name_zh].includes(own));
  const mark = WORDS.voice(same.length === 1 && !/[[\]【】［］]/.test(own) ? own : id);
  const area = box(), { selectionStart: start, selectionEnd: end } = area;
  if (start === end) return insert(mark);
  const chosen = area.value.slice(start, end);
  close();
  area.focus();
  area.setSelectionRange(start, end);
  put(`${mark}${chosen}${WORDS.back()}`);
}

const button = (kind) => $(`[data-menu=${kind}]`);
const menu = (kind) => $(`#mark-${kind}`);

function open(kind) {
  const was = button(kind).getAttribute("aria-expanded") === "true";
  close();
  if (was) return;
  if (kind === "voice") voices ??= new VoiceList($(".mark-voices"), { choose: give });
  menu(kind).hidden = false;
  button(kind).setAttribute("aria-expanded", "true");
  menu(kind).querySelector(kind === "voice" ? ".find" : "button").focus();
}

// Returns which menu was open.
function close() {
  const kind = ["pause", "voice"].find((one) => !menu(one).hidden);
  if (!kind) return null;
  menu(kind).hidden = true;
  button(kind).setAttribute("aria-expanded", "false");
  return kind;
}

element.addEventListener("click", (event) => {
  const { mark, menu: kind, pause } = event.target.closest("[data-mark], [data-menu], [data-pause]")?.dataset ?? {};
  if (mark) reading(mark);
  if (kind) open(kind);
  if (pause) insert(WORDS.pause(pause));
  if (event.target.closest(".mark-back")) insert(WORDS.back());
});
element.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const kind = close();
  if (!kind) return;
  event.preventDefault(); // it closes the menu, and stops nothing
  button(kind).focus();
});
// a click elsewhere, or a Tab out of it
document.addEventListener("pointerdown", (event) => { if (!element.contains(event.target)) close(); });
element.addEventListener("focusout", (event) => {
  if (event.relatedTarget && !event.relatedTarget.closest(".mark-menu, [data-menu]")) close();
});
// a button would take the focus, and with it the selection
element.addEventListener("mousedown", (event) => { if (event.target.closest("[data-mark], [data-menu]")) event.preventDefault(); });
$(".pauses").append(...PAUSES.map((seconds) => {
  const item = Object.assign(document.createElement("button"), { type: "button", className: "pill" });
  item.dataset.pause = seconds;
  return item;
}));

function label() {
  tts.label(element);
  for (const kind of ["pinyin", "phones"]) $(`[data-mark=${kind}]`).hidden = !tts.data.can.pronunciation;
  if (READINGS_ONLY) $("[data-mark=phones]").hidden = true;
  element.querySelectorAll("[data-pause]").forEach((item) => {
    item.textContent = tts.t("seconds", { n: item.dataset.pause });
    item.setAttribute("aria-label", tts.t("mark_pause_of", { time: item.dataset.pause }));
  });
}
tts.addEventListener("lang", label);
label();
