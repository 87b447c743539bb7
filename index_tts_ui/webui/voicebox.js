// Whose voice: one of the library (Gradio's picker stands below), or a clip of the visitor's own.
const { tts } = window;
const REFERENCE = "tts.reference";
const $ = (selector) => element.querySelector(selector);
const source = () => $("input[type=radio]:checked").value;
const clip = new Clip($(".reference"), save);

function save() {
  show();
  tts.keep(REFERENCE, { source: source(), sound: clip.value });
}

function show() {
  tts.label(element);
  const own = source() === "clip", empty = !tts.library.voices.length;
  document.body.dataset.source = own ? "clip" : empty ? "none" : "library";
  $(".own-clip").hidden = !own;
  $(".save-voice").hidden = !clip.value;
  $(".no-voices").hidden = own || !empty;
}

const kept = tts.kept(REFERENCE);
clip.set(kept.sound ?? null);
if (kept.source === "clip") $("input[value=clip]").checked = true;
element.addEventListener("change", (event) => { if (event.target.matches("[type=radio]")) save(); });
$(".save-voice").addEventListener("click", () => tts.emit("adopt", clip.value));
tts.tuning.parts.voice = () => ({
  voice: tts.voice ?? "", reference: source() === "clip" ? clip.value?.key ?? "" : null,
});
// The picker is Gradio's: let it ask for its words again, once it has what was kept.
function relist() {
  show();
  if (tts.voice !== undefined) trigger("voices", {});
}
for (const type of ["library", "lang"]) tts.addEventListener(type, relist);
tts.addEventListener("apply", ({ detail: { reference } }) => {
  $(`input[value=${reference.source}]`).checked = true;
  if (reference.source === "clip") clip.set(reference.sound);
  save();
});
tts.addEventListener("use", (event) => {
  tts.voice = event.detail;
  $("input[value=library]").checked = true;
  save();
  relist();
});
tts.library.ready.then(show);
show();
