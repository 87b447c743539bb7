// The Dictionary tab: the entries by word, searched while one types; files in and out; the last deletion taken back.
const { tts } = window;
const $ = (selector) => element.querySelector(selector);
const PATH = "v1/audio/dictionary", PAGE = 100, MOST = 1000, TYPED_MS = 250, FIND_FROM = 7;
const rows = new Map(); // by the entry's id
let entries = [], page = null, refused = null, told = null, asked = 0, timer = 0;
const undo = new Undo($(".undo"), () => show());

// What the empty list shows: one of each kind that explains itself.
const EXAMPLES = [
  { word: "NVMe", said: "N V M E", kind: "respelling", key: "dict_example_respelling" },
  { word: "单县", said: "shan4 xian4", kind: "pinyin", key: "dict_example_pinyin" },
  { word: "单县", said: "善县", kind: "respelling", key: "dict_example_sound" },
].filter(({ key, kind }) => tts.data.readings.kinds.includes(kind) && (key !== "dict_example_sound" || !tts.data.readings.kinds.includes("pinyin")));

async function look({ older = false } = {}) {
  const me = (asked += 1), q = $(".find").value.trim();
  const span = older ? { limit: PAGE, offset: entries.length } : { limit: Math.min(MOST, Math.max(PAGE, entries.length)) };
  try {
    const found = await tts.api(`${PATH}?${new URLSearchParams({ ...span, ...(q && { q }) })}`);
    if (me !== asked) return; // somebody typed on
    page = found;
    entries = older ? [...entries, ...found.data] : found.data;
    form.private = found.private;
    refused = null;
  } catch (error) { refused = error; }
  show();
}

async function run(action) {
  refused = told = null;
  try { await action(); } catch (error) { refused = error; }
  show();
}

const changed = async () => {
  await look();
  tts.emit("dictionary"); // the preview of the Speak tab follows
};

const form = new EntryForm($("form"), async (fields, entry) => {
  refused = told = null;
  const saved = await tts.api(entry ? `${PATH}/${entry.id}` : PATH, tts.json(entry ? "PATCH" : "POST", fields));
  await changed();
  rows.get(saved.id)?.item.scrollIntoView({ block: "nearest" });
});

const list = {
  private: () => Boolean(page?.private),
  failed(error) { refused = error; show(); },
  change: (row, fields) => run(async () => {
    await tts.api(`${PATH}/${row.entry.id}`, tts.json("PATCH", fields));
    await changed();
  }),
  edit(row) {
    form.open(row.entry);
    $("[name=said]").focus();
  },
  remove: (row) => run(async () => {
    const { entry } = row;
    await tts.api(`${PATH}/${entry.id}`, { method: "DELETE" });
    if (form.entry?.id === entry.id) form.open(null);
    await changed();
    undo.offer(entry);
  }),
};

const restore = () => run(async () => {
  const { word, said, kind, language, note, enabled, shared } = undo.gone;
  const back = await tts.api(PATH, tts.json("POST", { word, said, kind, language, note, enabled, shared: form.private && shared }));
  undo.forget();
  await changed();
  rows.get(back.id)?.$(".delete").focus();
});

const bringIn = (file) => run(async () => {
  const body = new FormData();
  body.append("file", file);
  told = await tts.api(`${PATH}/import`, { method: "POST", body });
  const done = told;
  await changed();
  told = done;
});

function build() {
  const seen = new Set(entries.map((entry) => entry.id));
  for (const id of [...rows.keys()]) if (!seen.has(id)) rows.delete(id);
  const items = entries.map((entry) => {
    const row = rows.get(entry.id) ?? new Entry(entry, list);
    row.entry = entry;
    rows.set(entry.id, row);
    row.show();
    return row.item;
  });
  const shelf = $(".shelf-list");
  if (items.length !== shelf.children.length || items.some((item, i) => item !== shelf.children[i])) shelf.replaceChildren(...items);
}

function examples() {
  $(".dict-examples").replaceChildren(...EXAMPLES.map((example) => {
    const item = document.createElement("li");
    item.innerHTML = `<p><b data-noi18n></b><span class="entry-arrow" aria-hidden="true">→</span><span data-noi18n></span></p><p class="hint"></p><button type="button" class="pill"></button>`;
    item.querySelector("b").textContent = example.word;
    item.querySelector("span[data-noi18n]").textContent = example.said;
    item.querySelector(".hint").textContent = tts.t(example.key);
    const button = item.querySelector("button");
    button.textContent = tts.t("dict_example_use");
    item.querySelector("p").id = `dict-${example.key}`;
    button.setAttribute("aria-describedby", `dict-${example.key}`);
    button.addEventListener("click", () => { form.open(null, example); $("[name=said]").focus(); });
    return item;
  }));
}

function tell() {
  const box = $(".dict-told"), { added = 0, changed: altered = 0, unchanged = 0, left_out: out = 0, problems = [] } = told ?? {};
  box.hidden = !told;
  const words = told ? tts.t(out ? "dict_imported_but" : "dict_imported", { added, altered, unchanged, out }) : "";
  if (box.querySelector("p").textContent !== words) box.querySelector("p").textContent = words;
  box.querySelector("ul").replaceChildren(...problems.map(({ entry, word, message }) => {
    const item = document.createElement("li");
    item.textContent = `${entry}${word && ` ${word}`}: ${message}`;
    return item;
  }));
}

function show() {
  build();
  tts.label(element);
  form.show();
  const total = page?.total ?? 0, searched = Boolean($(".find").value.trim());
  const count = page && (total || searched) ? tts.t("dict_count", { n: total }) : "";
  if ($(".dict-count").textContent !== count) $(".dict-count").textContent = count;
  $(".find").hidden = !searched && total < FIND_FROM;
  $(".dict-empty").hidden = !page || total > 0 || searched;
  $(".dict-none").hidden = !(page && searched && !total);
  $(".more").hidden = !page?.has_more;
  $(".more").disabled = false;
  document.querySelectorAll("#dictionary .export").forEach((link) => {
    link.href = tts.url(`${PATH}/export?format=${link.dataset.format}`);
    link.hidden = !page || (!total && !searched);
  });
  const text = refused ? refused.message ?? tts.t(refused.key) : "";
  Object.assign($(".shelf-error"), { textContent: text, hidden: !text });
  const { gone } = undo, words = gone ? tts.t("dict_removed", { word: gone.word }) : "";
  if ($(".dict-undo span").textContent !== words) $(".dict-undo span").textContent = words;
  $(".dict-undo span").toggleAttribute("data-noi18n", Boolean(gone));
  $(".dict-undo").hidden = !gone;
  examples();
  tell();
}

$(".find").addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(look, TYPED_MS); });
$(".more").addEventListener("click", () => { $(".more").disabled = true; look({ older: true }); });
$(".undo").addEventListener("click", restore);
$(".bring-in input").addEventListener("change", ({ target }) => {
  const [file] = target.files;
  target.value = "";
  if (file) bringIn(file);
});
tts.addEventListener("lang", show);
tts.addEventListener("heard", () => { form.trials.forEach((trial) => trial.show()); rows.forEach((row) => row.listening.show()); });
tts.addEventListener("status", ({ detail }) => { if (detail.state !== "gone" && !page) look(); });
// another tab, or somebody else, may have changed it meanwhile
document.addEventListener("visibilitychange", () => { if (!document.hidden && element.checkVisibility()) look(); });
show();
look();
