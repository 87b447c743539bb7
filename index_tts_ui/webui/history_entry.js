// One result, as a row: heard, starred, used again, deleted.
const { tts } = window;
const PATH = "v1/audio/history", LONG = 150; // characters; a longer text is folded
const MARKS = {
  play: '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M8 5.2v13.6a.8.8 0 0 0 1.2.7l10.8-6.8a.8.8 0 0 0 0-1.4L9.2 4.5A.8.8 0 0 0 8 5.2z"/></svg>',
  stop: '<svg viewBox="0 0 24 24" aria-hidden="true"><rect x="6.5" y="6.5" width="11" height="11" rx="2"/></svg>',
  star: '<svg class="star" viewBox="0 0 24 24" aria-hidden="true"><path d="M12 3.6l2.6 5.3 5.8.8-4.2 4.1 1 5.8-5.2-2.7-5.2 2.7 1-5.8-4.2-4.1 5.8-.8z"/></svg>',
};
const ENTRY_HTML = `
  <button type="button" class="round listen"></button>
  <div class="past-words">
    <p class="past-text" data-noi18n></p>
    <button type="button" class="fold-text" aria-expanded="false" hidden></button>
    <p class="past-facts"></p>
    <p class="past-state" hidden></p>
    <div class="past-deeds">
      <button type="button" class="pill again" data-t="history_again"></button>
      <button type="button" class="pill open" data-t="history_open"></button>
      <button type="button" class="pill settings" data-t="history_settings"></button>
      <button type="button" class="pill text" data-t="history_text"></button>
      <button type="button" class="pill delete" data-t="history_delete"></button>
    </div>
  </div>
  <button type="button" class="round favourite" aria-pressed="false">${MARKS.star}</button>`;

const plain = (error) => (tts.lang() === "zh-CN" ? error.message_zh : error.message);

// What was set otherwise than it is by default, in words.
function settingsWords({ voice, speed, language, seed, emotion, ...others }) {
  const { parameters } = tts.data, zh = tts.lang() === "zh-CN" ? 1 : 0;
  const set = Object.entries(others).filter(([name, value]) => name in parameters && value !== parameters[name].default);
  return [
    speed && speed !== 1 && `${speed}×`,
    tts.feelings.words(emotion),
    language && (tts.data.strings[tts.lang()][`lang_${language}`] ?? language),
    ...set.map(([name, value]) => `${parameters[name].label[zh]} ${value}`),
    tts.data.can.seed && tts.t("history_seed", { n: seed }),
  ];
}

class Past {
  // list: {change(row, fields), remove(row)}
  constructor(entry, list) {
    Object.assign(this, { entry, list, folded: true, lang: tts.lang() });
    this.item = document.createElement("li");
    this.item.dataset.entry = entry.id;
    this.item.innerHTML = ENTRY_HTML;
    const on = (selector, act) => this.$(selector).addEventListener("click", act);
    on(".listen", () => tts.listen(this.sound));
    on(".favourite", () => list.change(this, { favourite: !this.entry.favourite }));
    on(".fold-text", () => { this.folded = !this.folded; this.show(); });
    on(".settings", () => this.use({ settings: true }));
    on(".text", () => this.use({ text: true }));
    on(".again", () => this.use({ settings: true, text: true }));
    on(".open", () => { tts.openTab("speak"); tts.open(this.entry.output); });
    on(".delete", () => list.remove(this));
    this.show();
  }

  $(selector) { return this.item.querySelector(selector); }
  get sound() { return tts.url(`v1/audio/outputs/${this.entry.output}?format=mp3`); }

  async use({ settings, text }) {
    tts.openTab("speak");
    if (settings) await tts.settings.take(this.entry.settings);
    if (!text) return;
    const area = await tts.present("#text textarea");
    area.value = this.entry.text;
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
  }

  // Drawn again only where something of it is new.
  take(entry) {
    const same = this.lang === tts.lang() && (entry === this.entry || JSON.stringify(entry) === JSON.stringify(this.entry));
    Object.assign(this, { entry, lang: tts.lang() });
    if (!same) this.show();
  }

  // Words of the page; then names, people's own words, and what is called the same in all languages.
  facts() {
    const { entry } = this, time = new Date(entry.created * 1000);
    return [
      time.toLocaleTimeString(tts.lang(), { hour: "2-digit", minute: "2-digit" }),
      entry.audio_seconds && tts.clock(Math.ceil(entry.audio_seconds)),
      tts.t("count", { n: entry.characters }),
      tts.t("history_cost", { n: entry.engine_seconds.toFixed(entry.engine_seconds < 1 ? 2 : 1) }),
    ].filter(Boolean);
  }

  // One that was deleted is called as it was then.
  voice() {
    const { settings: { voice }, voice_name: then } = this.entry, { library } = tts;
    return voice && (then && !library.find(voice) ? then : library.called(voice));
  }

  state() {
    const { error, audio } = this.entry;
    if (error) return error.code === "cancelled" ? tts.t("history_stopped") : tts.t("history_failed", { reason: plain(error) });
    return audio ? "" : tts.t("history_gone");
  }

  show() {
    const { entry, folded } = this, { title, text, favourite, audio } = entry;
    tts.label(this.item);
    const long = text.length > LONG || text.split("\n").length > 3, fold = this.$(".fold-text");
    this.$(".past-text").textContent = text;
    this.$(".past-text").classList.toggle("folded", long && folded);
    fold.hidden = !long;
    fold.textContent = tts.t(folded ? "history_whole" : "history_less");
    fold.setAttribute("aria-expanded", String(!folded));
    const told = (fact, own) => {
      const item = Object.assign(document.createElement("span"), { textContent: fact });
      item.toggleAttribute("data-noi18n", own);
      return item;
    };
    const own = [this.voice(), ...settingsWords(entry.settings)].filter(Boolean), [time, ...facts] = this.facts();
    this.$(".past-facts").replaceChildren(told(time, false), ...own.map((fact) => told(fact, true)), ...facts.map((fact) => told(fact, false)));
    const state = this.state();
    Object.assign(this.$(".past-state"), { textContent: state, hidden: !state });
    this.$(".again").hidden = Boolean(audio);
    this.$(".open").hidden = !audio || !tts.open;
    const name = (selector, label) => {
      this.$(selector).setAttribute("aria-label", label);
      this.$(selector).toggleAttribute("data-noi18n", true); // it has words of the text
    };
    name(".favourite", tts.t(favourite ? "history_starred" : "history_star", { title }));
    this.$(".favourite").setAttribute("aria-pressed", String(favourite));
    this.listen();
  }

  listen() {
    const { title, audio } = this.entry, button = this.$(".listen"), hearing = tts.hearing(this.sound);
    button.disabled = !audio;
    button.innerHTML = hearing ? MARKS.stop : MARKS.play;
    button.toggleAttribute("data-noi18n", true);
    button.setAttribute("aria-label", hearing ? tts.t("stop") : tts.t(audio ? "history_listen" : "history_silence", { title }));
  }
}
