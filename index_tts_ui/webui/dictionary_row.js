// One entry of the dictionary, as a row: heard, switched on and off, edited, deleted.
const ENTRY_ICONS = {
  play: '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M8 5.2v13.6a.8.8 0 0 0 1.2.7l10.8-6.8a.8.8 0 0 0 0-1.4L9.2 4.5A.8.8 0 0 0 8 5.2z"/></svg>',
  stop: '<svg viewBox="0 0 24 24" aria-hidden="true"><rect x="6.5" y="6.5" width="11" height="11" rx="2"/></svg>',
};
const ENTRY_HTML = `
  <button type="button" class="round listen"></button>
  <div class="entry-words">
    <p><b class="entry-word" data-noi18n></b><span class="entry-arrow" aria-hidden="true">→</span><span class="entry-said" data-noi18n></span></p>
    <p class="entry-about"><span class="entry-kind"></span><span class="entry-language"></span><span class="tag common" data-t="dict_common" hidden></span><span class="tag idle" data-t="dict_idle" hidden></span><span class="entry-note" data-noi18n></span></p>
  </div>
  <div class="entry-deeds">
    <label class="check on"><input type="checkbox"><span data-t="dict_on"></span></label>
    <button type="button" class="pill edit" data-t="dict_edit"></button>
    <button type="button" class="pill delete" data-t="dict_delete"></button>
  </div>`;

// What tries a word out: a sentence in its language, else in that of its letters, else of the page.
const SENTENCES = { zh: (word) => `请听一听${word}在这句话里的读音。`, en: (word) => `This is how ${word} sounds in a sentence.` };
function sentenceWith({ word, language }) {
  const tongue = language || (/\p{Script=Han}/u.test(word) ? "zh" : tts.lang() === "zh-CN" ? "zh" : "en");
  return (SENTENCES[tongue] ?? ((one) => `${one}.`))(word);
}

// Speaks it once: the address of its sound, for tts.listen. Throws what tts.api throws.
const TRIED = new Map(); // what was asked for, and its address
async function tried(input, readings, dictionary) {
  const { reference = null } = tts.tuning.said();
  const voice = (reference ? `clip:${reference}` : tts.voice) || "alloy";
  const asked = { model: tts.data.engine, input, voice, response_format: "mp3", glossary: readings, dictionary };
  const known = dictionary ? "" : JSON.stringify(asked); // the dictionary may have changed meanwhile
  if (TRIED.has(known)) return TRIED.get(known);
  const answer = await fetch(tts.url("v1/audio/speech"), {
    method: "POST", headers: { "Content-Type": "application/json", "Accept-Language": tts.lang() }, body: JSON.stringify(asked),
  }).catch(() => { throw { key: "error_away" }; });
  if (!answer.ok) {
    const body = await answer.json().catch(() => null);
    throw body?.error?.message ? { message: body.error.message } : { key: "error_refused" };
  }
  const url = URL.createObjectURL(await answer.blob());
  if (known) TRIED.set(known, url);
  return url;
}

// A button that speaks something and stops it: show(), after its words may have changed.
class Listening {
  constructor(button, what, say, failed) { // what(): resolves to an address; say(hearing): {label} or {text}
    Object.assign(this, { button, say, url: "", busy: false });
    button.addEventListener("click", async () => {
      if (this.busy) return;
      if (this.url && tts.hearing(this.url)) return tts.listen(this.url);
      this.busy = true;
      this.show();
      try {
        failed(null);
        this.url = await what();
        tts.listen(this.url);
      } catch (error) { failed(error); }
      this.busy = false;
      this.show();
    });
  }

  show() {
    const { button, busy } = this, hearing = Boolean(this.url) && tts.hearing(this.url), { text = "", label } = this.say(hearing);
    const now = `${hearing ? ENTRY_ICONS.stop : ENTRY_ICONS.play}${text && `<span>${text}</span>`}`;
    if (this.shown !== now) button.innerHTML = this.shown = now;
    button.setAttribute("aria-busy", busy);
    if (label) button.setAttribute("aria-label", label);
  }
}

class Entry {
  constructor(entry, list) { // list: change(row, fields), remove(row), edit(row), failed(error)
    Object.assign(this, { entry, list });
    this.item = document.createElement("li");
    this.item.innerHTML = ENTRY_HTML;
    const on = (selector, act, type = "click") => this.$(selector).addEventListener(type, act);
    on(".on input", (event) => list.change(this, { enabled: event.target.checked }), "change");
    on(".edit", () => list.edit(this));
    on(".delete", () => list.remove(this));
    const { reading } = this;
    this.listening = new Listening(
      this.$(".listen"),
      () => tried(sentenceWith(this.entry), [reading()], true),
      (hearing) => ({ label: hearing ? tts.t("stop") : tts.t("dict_listen", { word: this.entry.word }) }),
      list.failed,
    );
  }

  $(selector) { return this.item.querySelector(selector); }

  reading = () => { const { word, said, kind, language } = this.entry; return { word, said, kind, language }; };

  show() {
    const { entry } = this, words = tts.data.strings[tts.lang()];
    tts.label(this.item);
    this.item.dataset.entry = entry.id;
    this.item.classList.toggle("off", !entry.enabled || !entry.usable);
    this.$(".entry-word").textContent = entry.word;
    this.$(".entry-said").textContent = entry.said;
    this.$(".entry-note").textContent = entry.note;
    this.$(".entry-kind").textContent = tts.data.readings.kinds.length > 1 || entry.kind !== "respelling" ? tts.t(`dict_${entry.kind}`) : "";
    this.$(".entry-language").textContent = entry.language ? words[`lang_${entry.language}`] ?? entry.language : "";
    this.$(".common").hidden = entry.mine && !(this.list.private() && entry.shared);
    this.$(".idle").hidden = entry.usable;
    this.$(".entry-deeds").hidden = !entry.mine;
    this.$(".on input").checked = entry.enabled;
    this.$(".on input").setAttribute("aria-label", tts.t("dict_on_word", { word: entry.word }));
    for (const deed of ["edit", "delete"]) this.$(`.${deed}`).setAttribute("aria-label", `${tts.t(`dict_${deed}`)} ${entry.word}`);
    this.$(".listen").hidden = !entry.usable;
    this.listening.show();
  }
}
