// The History tab: the newest results first, by day; searched while one types; new ones come by themselves.
const $ = (selector) => element.querySelector(selector);
const TYPED_MS = 250, LOOK_MS = 4000;
const rows = new Map(), heads = new Map(); // by the entry's id; by the day
let entries = [], more = false, kept = null, asked = 0, looked = 0, refused = null, done = "", timer = 0;
const undo = new Undo($(".undo"), () => show()); // for a moment here, for an hour by the API

const wanted = () => ({ q: $(".find").value.trim(), favourite: $(".starred").getAttribute("aria-pressed") === "true" });
const query = (fields) => `${PATH}?${new URLSearchParams(Object.entries(fields).filter(([, value]) => value))}`;

// Shows what matches, anew: the first page replaces what it covers, what was loaded below it stays.
async function look({ anew = false, older = false } = {}) {
  const me = (asked += 1), last = entries.at(-1);
  looked = Date.now();
  try {
    const page = await tts.api(query({ ...wanted(), before: older ? last?.id : "" }));
    if (me !== asked) return; // somebody typed on
    const { data } = page, end = data.at(-1);
    const below = !anew && !older && page.has_more ? entries.filter((entry) => entry.created < end.created) : [];
    more = below.length ? more : page.has_more;
    entries = older ? [...entries, ...data] : [...data, ...below];
    kept = page;
    refused = null;
  } catch (error) { refused = error; }
  show();
}

async function run(action) {
  try {
    refused = null;
    await action();
  } catch (error) { refused = error; }
  show();
}

const list = {
  change: (row, fields) => run(async () => {
    const entry = await tts.api(`${PATH}/${row.entry.id}`, tts.json("PATCH", fields));
    entries = entries.map((one) => (one.id === entry.id ? entry : one));
    if (wanted().favourite && !entry.favourite) await look();
  }),
  remove: (row) => run(async () => {
    const { id, title } = row.entry, { sound } = row;
    if (tts.hearing(sound)) tts.listen(sound);
    await tts.api(`${PATH}/${id}`, tts.json("PATCH", { deleted: true }));
    entries = entries.filter((one) => one.id !== id);
    done = "";
    undo.offer({ id, title });
  }),
};

const restore = () => run(async () => {
  const { id } = undo.gone;
  await tts.api(`${PATH}/${id}`, tts.json("PATCH", { deleted: false }));
  undo.forget();
  await look();
  rows.get(id)?.$(".delete").focus();
});

const clear = () => run(async () => {
  const { deleted } = await tts.api(PATH, { method: "DELETE" });
  sure(false);
  undo.forget();
  done = tts.t("history_cleared", { n: deleted });
  await look({ anew: true });
});

function sure(open) {
  $(".past-sure").hidden = !open;
  $(open ? ".no" : ".clear").focus();
}

// ---- what is seen

const dayOf = (entry) => new Date(entry.created * 1000).setHours(0, 0, 0, 0);

function dayWords(day) {
  const ago = Math.round((new Date().setHours(0, 0, 0, 0) - day) / 86400000), date = new Date(day);
  if (ago < 2) {
    const words = new Intl.RelativeTimeFormat(tts.lang(), { numeric: "auto" }).format(-ago, "day");
    return words[0].toUpperCase() + words.slice(1);
  }
  const year = date.getFullYear() === new Date().getFullYear() ? {} : { year: "numeric" };
  return date.toLocaleDateString(tts.lang(), { weekday: "long", month: "long", day: "numeric", ...year });
}

function section(day) {
  if (!heads.has(day)) {
    const box = document.createElement("section");
    box.innerHTML = '<h3></h3><ul class="past-list"></ul>';
    heads.set(day, box);
  }
  const box = heads.get(day);
  box.querySelector("h3").textContent = dayWords(day);
  return box;
}

// Only what changed is moved: a focused row stays where it is.
function place(parent, children) {
  if (children.length === parent.children.length && children.every((child, i) => child === parent.children[i])) return;
  const focus = document.activeElement;
  parent.replaceChildren(...children);
  if (parent.contains(focus)) focus.focus();
}

function build() {
  const days = new Map(), left = new Set(rows.keys());
  for (const entry of entries) {
    const row = rows.get(entry.id) ?? new Past(entry, list);
    rows.set(entry.id, row);
    left.delete(entry.id);
    row.take(entry);
    days.set(dayOf(entry), [...(days.get(dayOf(entry)) ?? []), row.item]);
  }
  left.forEach((id) => rows.delete(id));
  place($(".past-days"), [...days.keys()].map(section));
  for (const [day, items] of days) place(section(day).querySelector("ul"), items);
}

function about() {
  if (!kept) return "";
  if (!kept.days) return tts.t("history_off");
  const days = tts.t("history_days", { n: kept.days }), { hours } = kept;
  return tts.t("history_about", { time: days, hours: hours % 24 ? tts.t("history_hours", { n: hours }) : tts.t("history_days", { n: hours / 24 }) });
}

function show() {
  tts.label(element);
  build();
  const { q, favourite } = wanted(), none = kept && !entries.length;
  $(".past-about").textContent = about();
  const text = refused ? refused.message ?? tts.t(refused.key) : "";
  Object.assign($(".shelf-error"), { textContent: text, hidden: !text });
  Object.assign($(".past-empty"), { textContent: none ? tts.t(q ? "history_none" : favourite ? "history_no_favourites" : "history_empty") : "", hidden: !none });
  const { gone } = undo, said = gone ? tts.t("history_deleted", { title: gone.title }) : done;
  if ($(".undo-words").textContent !== said) $(".undo-words").textContent = said;
  $(".undo-words").toggleAttribute("data-noi18n", Boolean(gone));
  $(".undo").hidden = !gone;
  $(".older").hidden = !more;
  $(".clear").hidden = !entries.some((entry) => !entry.favourite);
}

const visible = () => element.isConnected && element.checkVisibility() && !document.hidden;

element.addEventListener("click", ({ target }) => {
  const on = (selector) => target.closest(selector);
  if (on(".starred")) {
    on(".starred").setAttribute("aria-pressed", String(!wanted().favourite));
    look({ anew: true });
  }
  if (on(".older")) look({ older: true });
  if (on(".clear")) sure(true);
  if (on(".no")) sure(false);
  if (on(".yes")) clear();
  if (on(".undo")) restore();
});
$(".find").addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(() => look({ anew: true }), TYPED_MS);
});
tts.addEventListener("heard", ({ detail }) => {
  rows.forEach((row) => row.listen());
  if (detail?.failed && visible()) look(); // it may have been cleaned away meanwhile
});
tts.addEventListener("library", () => rows.forEach((row) => row.show()));
tts.addEventListener("lang", () => { done = ""; show(); });
// the badge asks the server every few seconds: so does this, while it is seen
tts.addEventListener("status", ({ detail }) => {
  if (visible() && detail.state !== "gone" && Date.now() - looked > LOOK_MS) look();
});
new IntersectionObserver(([seen]) => { if (seen.isIntersecting && Date.now() - looked > 500) look(); }).observe(element);
show();
look();
