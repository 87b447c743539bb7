// The Voices tab: a clip becomes a voice of the library, with the uploader's statement of rights.
const { tts } = window;
const { library } = tts;
const $ = (selector) => element.querySelector(selector);
const RIGHTS = ["own", "consent", "licence"], FIND_FROM = 7;
const form = $("form"), clip = new Clip($(".new-clip"), adopted);
let rows = [], problem = null, refused = null;

function adopted() {
  const { name } = form.elements, file = clip.value?.name ?? "";
  if (!name.value) name.value = file.replace(/\.\w+$/, "").slice(0, 64);
  complain(null);
}

function complain(error) {
  problem = error;
  const box = $(".form-error"), text = error ? error.message ?? tts.t(error.key) : "";
  Object.assign(box, { textContent: text, hidden: !text });
}

// What a row's button does; what goes wrong stands above the list.
async function run(action) {
  refused = null;
  try { await action(); } catch (error) { refused = error; }
  show();
}

function missing() {
  const { name, rights } = form.elements;
  if (!clip.value) return "voice_needs_clip";
  if (!name.value.trim()) return "voice_needs_name";
  return rights.value ? null : "voice_needs_rights";
}

async function submit(event) {
  event.preventDefault();
  const lack = missing(), { name, language, gender, tags, rights, note } = form.elements;
  if (lack) return complain({ key: lack });
  const statement = [tts.t(`rights_${rights.value}`), note.value.trim()].filter(Boolean).join(" ");
  const button = $("[type=submit]");
  button.disabled = true;
  try {
    await library.add({ clip: clip.value.key, name: name.value.trim(), language: language.value, gender: gender.value, tags: tagsOf(tags.value).join(","), statement });
    form.reset();
    clip.set(null);
    complain(null);
  } catch (error) { complain(error); }
  button.disabled = false;
}

function build() {
  const before = rows.map((row) => row.item);
  rows = library.clips().map((voice) => {
    const row = rows.find((one) => one.voice.id === voice.id) ?? new Row(voice, run); // maybe with an open form
    return Object.assign(row, { voice });
  });
  const now = rows.map((row) => row.item);
  if (now.length !== before.length || now.some((item, i) => item !== before[i])) $(".shelf-list").replaceChildren(...now);
}

function show() {
  tts.label(element);
  fillChoices(form);
  const { rights } = form.elements, { value } = rights;
  rights.replaceChildren(option("", "rights_choose"), ...RIGHTS.map((key) => option(key, `rights_${key}`)));
  rights.value = value;
  rows.forEach((row) => row.show());
  complain(problem);
  const text = refused ? refused.message ?? tts.t(refused.key) : "";
  Object.assign($(".shelf-error"), { textContent: text, hidden: !text });
  $(".shelf-empty").hidden = rows.length > 0;
  $(".find").hidden = rows.length < FIND_FROM;
  find();
}

function find() {
  const wanted = $(".find").hidden ? "" : $(".find").value.trim().toLowerCase();
  for (const { item, voice } of rows) {
    const words = [voice.name, voice.name_zh, voice.language, library.about(voice), ...voice.tags].join(" ").toLowerCase();
    item.hidden = !words.includes(wanted);
  }
}

function take(sound) {
  clip.set(sound);
  adopted();
  form.elements.name.focus();
}

form.addEventListener("submit", submit);
$(".find").addEventListener("input", find);
tts.addEventListener("library", () => { build(); show(); });
tts.addEventListener("lang", show);
tts.addEventListener("heard", () => rows.forEach((row) => row.show()));
tts.addEventListener("adopted", (event) => take(event.detail));
build();
show();
if (tts.adopted) take(tts.adopted);
