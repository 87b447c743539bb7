// Presets: the settings of this card under names. The API keeps them, for each owner.
const { tts } = window;
const PATH = "v1/audio/presets", CHOSEN = "tts.preset", NEWS_MS = 8000;
const $ = (selector) => element.querySelector(selector);
const choice = $(".preset-choice"), form = $(".preset-form"), name = $("#tts-preset-name");
let presets = [], chosen = tts.store.read(CHOSEN) ?? "", editing = null, timer = 0;

const find = (id) => presets.find((preset) => preset.id === id);
const send = (method, fields, path = PATH) => tts.api(path, fields ? tts.json(method, fields) : { method });

async function load() {
  presets = (await tts.api(PATH)).data;
  if (!find(chosen)) pick("");
  show();
}

function pick(id) {
  chosen = id;
  tts.store.write(CHOSEN, id);
}

function show() {
  tts.label(element);
  const line = ({ id, name, own }) => {
    const option = new Option(own ? name : tts.t("preset_shared", { name }), id);
    option.toggleAttribute("data-noi18n", true);
    return option;
  };
  choice.replaceChildren(new Option(tts.t("preset_none"), ""), ...presets.map(line));
  choice.value = chosen;
  $(".change").hidden = !find(chosen)?.own;
  compare();
}

function compare() {
  const preset = find(chosen);
  const differs = Boolean(preset && tts.settings.values && tts.settings.print(preset.settings) !== tts.settings.print(tts.settings.now()));
  $(".preset-differs").hidden = !differs;
  $(".update").hidden = !preset?.own;
}

function tell(key) {
  clearTimeout(timer);
  $(".preset-news").textContent = key ? tts.t(key) : "";
  if (key) timer = setTimeout(() => tell(""), NEWS_MS);
}

function complain(error) {
  const text = error ? error.message ?? tts.t(error.key) : "";
  Object.assign($(".form-error"), { textContent: text, hidden: !text });
}

// The form: of a new preset (null), or of the chosen one.
function open(preset) {
  editing = preset;
  form.hidden = false;
  name.value = preset?.name ?? "";
  $(".share-it").checked = Boolean(preset?.shared);
  $(".delete").hidden = !preset;
  $(".save-as").setAttribute("aria-expanded", String(!preset));
  $(".change").setAttribute("aria-expanded", String(Boolean(preset)));
  complain(null);
  name.focus();
}

function close() {
  if (form.contains(document.activeElement)) $(editing ? ".change" : ".save-as").focus();
  form.hidden = true;
  element.querySelectorAll("[aria-expanded]").forEach((e) => e.setAttribute("aria-expanded", "false"));
}

async function run(action) {
  try {
    await action();
    await load();
  } catch (error) {
    form.hidden = false;
    complain(error);
  }
}

async function save() {
  if (!name.value.trim()) throw { key: "preset_needs_name" };
  const about = { name: name.value, shared: $(".share-it").checked };
  if (editing) await send("PATCH", about, `${PATH}/${editing.id}`);
  else pick((await send("POST", { ...about, settings: tts.settings.now() })).id);
  close();
}

async function remove() {
  await send("DELETE", null, `${PATH}/${editing.id}`);
  close();
  tell("preset_deleted");
}

// For whoever gives the page other settings: it says here what was missing.
tts.settings.take = async (settings) => {
  const [lack] = await tts.settings.apply(settings);
  tell(lack ? `preset_lacks_${lack}` : "preset_taken");
};

choice.addEventListener("change", () => {
  pick(choice.value);
  close();
  if (find(chosen)) tts.settings.take(find(chosen).settings);
  show();
});
form.addEventListener("submit", (event) => { event.preventDefault(); run(save); });
element.addEventListener("keydown", (event) => { if (event.key === "Escape" && !form.hidden) close(); });
element.addEventListener("click", ({ target }) => {
  const on = (selector) => target.closest(selector);
  if (on(".save-as")) form.hidden || editing ? open(null) : close();
  if (on(".change")) form.hidden || !editing ? open(find(chosen)) : close();
  if (on(".cancel")) close();
  if (on(".delete")) run(remove);
  if (on(".back")) tts.settings.take(find(chosen).settings);
  if (on(".update")) run(() => send("PATCH", { settings: tts.settings.now() }, `${PATH}/${chosen}`));
});
for (const type of ["settings", "tuning", "voice", "library"]) tts.addEventListener(type, compare);
tts.addEventListener("lang", () => { tell(""); show(); });
let away = true; // until the list was had once
tts.addEventListener("status", ({ detail }) => {
  if (away && detail.state !== "gone") load().then(() => { away = false; }).catch(() => {});
});
show();
