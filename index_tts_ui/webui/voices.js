// The Voices tab: a clip or a blend becomes a voice of the library; all voices, searched, heard, changed, taken along.
const { tts } = window;
const { library } = tts;
const $ = (selector) => element.querySelector(selector);
const RIGHTS = ["own", "consent", "licence"];
const adding = $(".add-voice"), blending = $(".add-blend");
const clip = new Clip($(".new-clip"), adopted, true), mixer = new Mixer($(".blend-new"));
let rows = [], problems = new Map(), line = null, refused = null, listed = null;

function adopted() {
  const { name } = adding.elements, file = clip.value?.name ?? "";
  if (!name.value) name.value = file.replace(/\.\w+$/, "").slice(0, 64);
  complain(adding, null);
}

function complain(form, error) {
  problems.set(form, error);
  const text = error ? error.message ?? tts.t(error.key) : "";
  Object.assign(form.querySelector(".form-error"), { textContent: text, hidden: !text });
}

// What a row's button does; what goes wrong stands above the list.
async function run(action) {
  refused = null;
  try { await action(); } catch (error) { refused = error; }
  show();
}

// What is said above the list: {words(): text, undo(): what takes it back}
function tell(said) {
  line = said;
  show();
  if (said?.undo) $(".line-undo").focus();
}

const gone = (voice) => tell({
  words: () => tts.t("voice_deleted", { name: library.name(voice) }),
  undo: () => restore(voice),
});

const restore = (voice) => run(async () => {
  const back = await library.restore(voice.id);
  await listed;
  tell({ words: () => tts.t("voice_restored", { name: library.name(back) }) });
  $(`[data-voice="${CSS.escape(back.id)}"] .use`)?.focus();
});

// ---- adding

function missing() {
  const { name, rights } = adding.elements;
  if (!clip.value) return "voice_needs_clip";
  if (!name.value.trim()) return "voice_needs_name";
  return rights.value ? null : "voice_needs_rights";
}

async function addVoice() {
  const lack = missing(), { name, language, gender, tags, transcript, rights, note, shared } = adding.elements;
  if (lack) throw { key: lack };
  const statement = [tts.t(`rights_${rights.value}`), note.value.trim()].filter(Boolean).join(" ");
  await clip.settled; // what was trimmed last counts
  await library.add({ clip: clip.value.key, name: name.value.trim(), language: language.value, gender: gender.value, tags: tagsOf(tags.value).join(","), transcript: transcript.value.trim(), statement, shared: shared.checked });
  clip.set(null);
}

async function addBlend() {
  const { name, tags, shared } = blending.elements, blend = mixer.value;
  if (!blend) throw { key: "blend_needs_two" };
  if (!name.value.trim()) throw { key: "blend_needs_name" };
  await library.add({ blend, name: name.value.trim(), tags: tagsOf(tags.value).join(","), shared: shared.checked });
}

const submits = (form, add) => form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  try {
    await add();
    form.reset();
    complain(form, null);
  } catch (error) { complain(form, error); }
  button.disabled = false;
});

async function take(file) {
  if (!file) return;
  tell({ words: () => tts.t("voices_importing") });
  await run(async () => {
    line = null;
    const { voices, left_out: left } = await library.take(file);
    const why = left.map(({ name, message }) => `${name}: ${message}`).join(" ");
    tell({ words: () => [tts.t("voices_imported", { n: voices.length }), left.length ? `${tts.t("voices_left_out", { n: left.length })} ${why}` : ""].join(" ") });
  });
}

// ---- the list

// Added voices first: they are the ones that people look for.
function build() {
  const before = rows.map((row) => row.item), sorted = [...library.voices].sort((a, b) => (a.kind === "builtin") - (b.kind === "builtin"));
  const known = new Map(rows.map((row) => [row.voice.id, row]));
  rows = sorted.map((voice) => Object.assign(known.get(voice.id) ?? new Row(voice, run, gone), { voice })); // maybe with an open form
  const now = rows.map((row) => row.item);
  if (now.length === before.length && now.every((item, i) => item === before[i])) return;
  const focused = $(".shelf-list").contains(document.activeElement) ? document.activeElement : null;
  $(".shelf-list").replaceChildren(...now);
  if (focused?.isConnected) focused.focus();
}

function fillSieves() {
  const words = tts.data.strings[tts.lang()], own = library.voices.some(({ kind }) => kind !== "builtin");
  const tongues = [...new Set(library.voices.map(({ language }) => language.slice(0, 2)).filter(Boolean))].sort();
  refill($(".by-language"), [option("", "voices_any_language"), ...tongues.map((code) => new Option(words[`lang_${code}`] ?? code, code))]);
  const kinds = own && library.voices.some(({ kind }) => kind === "builtin") ? [option("kind:own", "voices_mine"), option("kind:builtin", "voices_builtin")] : [];
  const tags = [...new Set(library.voices.flatMap((voice) => voice.tags))].sort();
  refill($(".by-tag"), [option("", "voices_any_tag"), ...kinds, ...tags.map((tag) => Object.assign(new Option(`#${tag}`, `#${tag}`), { translate: false }))]);
  for (const choice of $(".by-tag").options) if (!choice.translate) choice.dataset.noi18n = ""; // people's own words
  $(".by-language").hidden = tongues.length < 2;
  $(".by-tag").hidden = !kinds.length && !tags.length;
}

function fits(voice, wanted, tongue, tag) {
  const words = [voice.id, voice.name, voice.name_zh, voice.language, library.about(voice), ...voice.tags].join(" ").toLowerCase();
  const kind = tag === "kind:own" ? voice.kind !== "builtin" : tag === "kind:builtin" ? voice.kind === "builtin" : !tag || voice.tags.includes(tag.slice(1));
  return wanted.every((word) => words.includes(word)) && voice.language.startsWith(tongue) && kind;
}

function sift() {
  const wanted = $(".find").value.trim().toLowerCase().split(/\s+/);
  let n = 0;
  for (const { item, voice } of rows) {
    item.hidden = !fits(voice, wanted, $(".by-language").value, $(".by-tag").value);
    n += !item.hidden;
  }
  const words = !rows.length ? "" : n ? tts.t("voices_counted", { n }) : tts.t("voices_nothing");
  if ($(".shelf-count").textContent !== words) $(".shelf-count").textContent = words;
}

function showBin() {
  const list = $(".bin-list"), when = new Intl.DateTimeFormat(tts.lang(), { dateStyle: "medium", timeStyle: "short" });
  $(".bin").hidden = !library.bin.length;
  $(".bin summary").textContent = tts.t("voices_bin", { n: library.bin.length });
  list.replaceChildren(...library.bin.map((voice) => {
    const item = document.createElement("li"), name = library.name(voice);
    item.innerHTML = '<span class="voice-words"><b data-noi18n></b><span class="voice-about"></span></span><button type="button" class="pill"></button>';
    item.querySelector("b").textContent = name;
    item.querySelector(".voice-about").textContent = tts.t("voices_bin_when", { when: when.format(voice.deleted_at * 1000) });
    const button = item.querySelector("button");
    button.textContent = tts.t("voice_restore");
    button.setAttribute("aria-label", tts.t("voice_restore_named", { name }));
    button.addEventListener("click", () => restore(voice));
    return item;
  }));
}

function show() {
  tts.label(element);
  fillChoices(adding);
  $(".transcript").hidden = !tts.data.can.transcript;
  refill(adding.elements.rights, [option("", "rights_choose"), ...RIGHTS.map((key) => option(key, `rights_${key}`))]);
  mixer.show();
  rows.forEach((row) => row.show());
  for (const [form, error] of problems) complain(form, error);
  const text = refused ? refused.message ?? tts.t(refused.key) : "";
  Object.assign($(".shelf-error"), { textContent: text, hidden: !text });
  $(".shelf-line").hidden = !line;
  $(".line-words").textContent = line?.words() ?? "";
  $(".line-undo").hidden = !line?.undo;
  $(".shelf-empty").hidden = rows.length > 0;
  $(".sieve-row").hidden = rows.length < 2;
  $(".export-all").hidden = !library.voices.some(({ editable }) => editable);
  $(".export-all").href = library.archive();
  for (const box of element.querySelectorAll(".share-new")) box.hidden = !library.keepsPrivate;
  fillSieves();
  sift();
  showBin();
}

async function allow() { // whoever may only listen is shown no forms
  const { roles } = await tts.me, may = (role) => !roles || roles.includes(role) || roles.includes("admin");
  Row.admin = may("admin");
  for (const form of [adding, blending]) form.hidden = !(may("voices") && tts.data.can[form.dataset.can]);
  $(".take-along").hidden = !may("voices");
  element.firstElementChild.classList.toggle("listening", adding.hidden && blending.hidden);
  show();
}

const relist = async () => {
  await library.emptied().catch(() => {}); // the list is there without it
  build();
  show();
};

function keep(sound) {
  clip.set(sound);
  adopted();
  adding.elements.name.focus();
}

submits(adding, addVoice);
submits(blending, addBlend);
$(".archive").addEventListener("change", ({ target }) => { take(target.files[0]); target.value = ""; });
$(".line-undo").addEventListener("click", () => line.undo());
$(".line-close").addEventListener("click", () => tell(null));
$(".line-close").innerHTML = ICONS.close;
for (const selector of [".find", ".by-language", ".by-tag"]) $(selector).addEventListener("input", sift);
tts.addEventListener("library", () => { listed = relist(); });
tts.addEventListener("lang", show);
tts.addEventListener("heard", () => rows.forEach((row) => row.show()));
tts.addEventListener("adopted", (event) => keep(event.detail));
build();
allow();
relist();
if (tts.adopted) keep(tts.adopted);
