// Below the voice's name: hear it, or look through all voices and choose one of them by ear.
const { tts } = window;
const $ = (selector) => element.querySelector(selector);
const panel = $(".picker-voices"), browse = $(".browse");
let list = null, heard = false;

function choose(voice) {
  tts.emit("use", voice.id);
  open(false);
}

function open(wanted) {
  if (wanted) list ??= new VoiceList(panel, { chosen: () => tts.voice, choose });
  const inside = panel.contains(document.activeElement);
  panel.hidden = !wanted;
  browse.setAttribute("aria-expanded", String(wanted));
  if (wanted) panel.querySelector(".find").focus();
  else if (inside) browse.focus();
}

function show() {
  tts.label(element);
  const url = tts.library.find(tts.voice) && tts.library.sample(tts.voice), hearing = Boolean(url) && tts.hearing(url);
  $(".hear").disabled = !url;
  $(".hear-icon").innerHTML = hearing ? ICONS.stop : ICONS.play;
  $(".hear-words").textContent = tts.t(hearing ? "stop" : "hear_voice");
}

$(".hear").addEventListener("click", () => { heard = true; tts.listen(tts.library.sample(tts.voice)); });
browse.addEventListener("click", () => open(panel.hidden));
panel.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  event.preventDefault(); // it closes the list, and stops nothing
  open(false);
});
// Gradio's picker shows what was chosen here; where the engine clones voices, the box above sees to that.
if (!tts.data.can.clone) {
  const relist = () => { if (tts.voice !== undefined) trigger("voices", {}); };
  for (const type of ["library", "lang"]) tts.addEventListener(type, relist);
  tts.addEventListener("use", ({ detail }) => {
    tts.voice = detail;
    relist();
  });
}
tts.addEventListener("heard", ({ detail }) => {
  $(".hear-error").hidden = !(heard && detail?.failed);
  heard = heard && !detail?.failed;
  show();
});
for (const type of ["lang", "voice", "library"]) tts.addEventListener(type, show);
show();
