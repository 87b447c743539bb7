// How a word is pronounced: a mark around what is selected, its reading selected to be typed over.
const { tts } = window;
const MARKS = { pinyin: ["行", "XING2"], phones: ["minute", "M IH1 . N AH0 T"] };
const READINGS_ONLY = tts.data.engine === "indextts2"; // that model takes pinyin in place of the character

function insert(kind) {
  const box = document.querySelector("#text textarea"), [sample, reading] = MARKS[kind];
  const chosen = box.value.slice(box.selectionStart, box.selectionEnd).trim() || sample;
  const start = box.selectionStart, before = READINGS_ONLY ? "" : `<${chosen}|`;
  box.focus();
  document.execCommand("insertText", false, READINGS_ONLY ? reading : `${before}${reading}>`); // Ctrl+Z takes it back
  box.setSelectionRange(start + before.length, start + before.length + reading.length);
}

element.addEventListener("click", (event) => {
  const { mark } = event.target.closest("[data-mark]")?.dataset ?? {};
  if (mark) insert(mark);
});
// a button would take the focus, and with it the selection
element.addEventListener("mousedown", (event) => { if (event.target.closest("[data-mark]")) event.preventDefault(); });
const label = () => {
  tts.label(element);
  element.querySelector(".chips.marks").hidden = !tts.data.can.pronunciation;
  element.querySelector("[data-mark=phones]").hidden = READINGS_ONLY;
};
tts.addEventListener("lang", label);
label();
