// The Script tab: what is read becomes rows and a cast, a job speaks them, its sound is played line by line.
const { tts } = window;
const $ = (selector) => element.querySelector(selector);
const KINDS = { csv: "csv", tsv: "csv", srt: "srt", vtt: "vtt", json: "json" }, SCRIPT_FORMAT = "tts.format", SHOW_MS = 300;
const sheet = new Sheet();
const list = new RowList($(".rows"), $(".rows-all"), 68, makeRow, fillRow);
const feeling = tts.data.can.emotion && $("dialog.feeling") ? new Feeling($("dialog.feeling")) : null;
const cast = new Cast($(".cast"), sheet, castChanged, unname, feeling);
const form = new LineForm($(".line-form"), sheet, lineDone, lineRemoved, feeling);
const player = new LinePlayer(soundOf, nextSound, playing, (index) => complain({ key: "script_unplayable", n: index + 1 }));
const follower = new Follower(jobTold);
const shelf = new JobShelf($(".jobs"), ({ id }) => leave(() => openJob(id)), jobRemoved, complain);
let problem = null, busy = "", away = false, heard = "";

// ---- what is read

async function read(body, title = "") {
  if (busy) return;
  busy = "reading";
  show();
  try {
    const { data } = await jobs.read(body);
    player.stop();
    sheet.read(data, title);
    await voices();
    sheet.castVoices(tts.library.voices);
    complain(null);
    built();
    sheet.keep();
  } catch (error) { complain(error); }
  busy = "";
  show();
}

function readText() {
  const input = $("#script-source").value;
  if (!input.trim()) return $("#script-source").focus();
  read({ input, kind: "auto", cast: {} });
}

function readFile(file) {
  if (!file) return;
  const body = new FormData(), [, name, ending] = /^(.*?)(?:\.(\w+))?$/.exec(file.name);
  body.append("file", file);
  body.append("kind", KINDS[ending?.toLowerCase()] ?? "txt");
  body.append("cast", "{}");
  read(body, name);
}

// The list of voices, on an engine whose page had no need of it so far.
const voices = () => (tts.library.voices.length ? null : tts.library.refresh().catch(() => {}));

// ---- lines and names

function lineDone(index, fields, anew) {
  const row = sheet.rows[index] ?? (sheet.rows[index] = { problems: [] });
  if (fields) {
    Object.assign(row, fields, { problems: [], changed: Boolean(sheet.job) });
    sheet.recount();
    sheet.castVoices(tts.library.voices);
    cast.show();
    list.resize(sheet.rows.length);
    sheet.keep();
  }
  if (anew) run(() => (row.changed ? remake([row]) : again({ line: index + 1 })));
  else show();
  list.reveal(index)?.querySelector(".say")?.focus({ preventScroll: true });
}

function lineRemoved(index) {
  sheet.rows.splice(index, 1);
  sheet.recount();
  built();
  sheet.keep();
  list.reveal(Math.min(index, sheet.rows.length - 1))?.querySelector(".say")?.focus({ preventScroll: true });
}

function castChanged(name, key) {
  sheet.mark(name, key);
  for (const row of sheet.rows) { // what was wrong with it may be right now
    if ((row.speaker ?? "") === name) row.problems = row.problems.filter(({ param }) => !param?.startsWith("cast."));
  }
  list.refresh();
  sheet.keep();
  show();
}

function unname(name) {
  const mark = HAN.test(name) ? "：" : ": ";
  for (const row of sheet.rows) if (row.speaker === name) Object.assign(row, { text: `${name}${mark}${row.text}`, speaker: "" });
  sheet.cast.delete(name);
  sheet.recount();
  built();
  sheet.keep();
  $(".cast-list select")?.focus();
}

// ---- sound

function soundOf(index) {
  const row = sheet.rows[index];
  return row && sheet.job && sheet.sounds(row) ? jobs.url(sheet.job.id, `audio?format=mp3&line=${index + 1}`) : null;
}

function nextSound(index) {
  const waits = sheet.job && UNFINISHED.includes(sheet.job.state);
  for (let i = index + 1; i < sheet.rows.length; i++) {
    if (soundOf(i) || (waits && ["making", "waiting"].includes(sheet.state(sheet.rows[i])))) return i;
  }
  return -1;
}

let lit = -1;
function playing(index) {
  const before = lit;
  lit = index;
  list.touch(before);
  if (index >= 0 && player.onward) list.reveal(index);
  list.touch(index);
  show();
}

function playAll() {
  if (player.current >= 0) return player.stop();
  const first = nextSound(-1);
  if (first >= 0) player.play(first, true);
}

// ---- the user

const CLICKS = {
  ".read": readText,
  ".example": () => { $("#script-source").value = sheet.source = tts.t("script_example_text"); readText(); },
  ".go": go,
  ".hold": () => run(async () => attach(await jobs.act(sheet.job.id, sheet.job.state === "paused" ? "resume" : "pause")), "changing"),
  ".stop-job": () => run(async () => attach(await jobs.act(sheet.job.id, "cancel")), "changing"),
  ".play-all": playAll,
  ".detach": detach,
  ".fresh": () => leave(fresh),
  ".script-sure .yes": () => { $(".script-sure").hidden = true; instead(); },
  ".script-sure .no": () => { $(".script-sure").hidden = true; $(".fresh").focus(); },
  ".bad-lines": () => {
    const index = sheet.rows.findIndex((row) => row.problems.length);
    list.reveal(index)?.querySelector(".say")?.focus({ preventScroll: true });
  },
  ".add": () => form.open(sheet.rows.length),
  ".row .play": (index) => (lit === index ? player.stop() : player.play(index, false)),
  ".row .onward": (index) => player.play(index, true),
  ".row .say": (index) => form.open(index),
};
element.addEventListener("click", ({ target }) => {
  const [, act] = Object.entries(CLICKS).find(([selector]) => target.closest(selector)) ?? [];
  act?.(Number(target.closest("[data-index]")?.dataset.index));
});
$(".file").addEventListener("change", ({ target }) => { readFile(target.files[0]); target.value = ""; });
$(".source").addEventListener("dragover", (event) => { event.preventDefault(); $(".source").classList.add("over"); });
$(".source").addEventListener("dragleave", () => $(".source").classList.remove("over"));
$(".source").addEventListener("drop", (event) => {
  event.preventDefault();
  $(".source").classList.remove("over");
  readFile(event.dataTransfer.files[0]);
});
$("#script-source").addEventListener("input", ({ target }) => { sheet.source = target.value; sheet.keep(); });
$("#script-source").addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) readText(); });
$(".title").addEventListener("input", ({ target }) => { sheet.title = target.value; sheet.keep(); });
$(".gap-ms").addEventListener("change", ({ target }) => { sheet.gap = target.value; sheet.keep(); });
$(".fit-on").addEventListener("change", ({ target }) => { sheet.fit = target.checked; sheet.keep(); });
$(".format").value = tts.store.read(SCRIPT_FORMAT) || "mp3";
if (!$(".format").value) $(".format").value = "mp3";
$(".format").addEventListener("change", () => show());
addEventListener("pagehide", () => sheet.flush());
tts.addEventListener("draft", () => show());
tts.addEventListener("library", () => { cast.show(); list.refresh(); });
tts.addEventListener("lang", () => { tts.label(element); cast.show(); shelf.show(); list.refresh(); form.show(); show(); });

async function start() {
  tts.label(element);
  const id = sheet.restore();
  built();
  show();
  shelf.load();
  await voices();
  cast.show();
  if (id) await openJob(id);
}
start();
