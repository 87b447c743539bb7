// The voices as a list: searched, filtered, heard before they are chosen, the favourites first.
const FAVOURITES = "tts.favourites";
const STAR = '<svg class="line" viewBox="0 0 24 24" aria-hidden="true"><path d="M12 4l2.5 5.1 5.6.8-4 4 .9 5.6-5-2.7-5 2.7.9-5.6-4-4 5.6-.8z"/></svg>';
const LIST_HTML = `
  <input type="search" class="find" autocomplete="off" data-t-label="voices_search" data-t-hint="voices_search">
  <div class="chips sieve" role="group" data-t-label="voices_label"></div>
  <p class="unseen found" role="status"></p>
  <p class="hint none" data-t="voices_none" hidden></p>
  <p class="list-error" role="alert" data-t="hear_failed" hidden></p>
  <ul class="voice-list"></ul>`;
const ITEM_HTML = `
  <button type="button" class="round listen"></button>
  <button type="button" class="take"><b data-noi18n></b><span class="about"></span><span class="tags" data-noi18n></span></button>
  <button type="button" class="round star">${STAR}</button>`;

const voiceName = (voice) => (tts.lang() === "zh-CN" ? voice.name_zh : voice.name);

class VoiceList {
  static favourites() { return tts.kept(FAVOURITES).ids ?? []; }

  // root: an empty element; chosen(): the id to be marked; choose(voice): what a click on a name does
  constructor(root, { chosen = () => null, choose }) {
    Object.assign(this, { root, chosen, choose, only: "", items: new Map() });
    root.classList.add("voices-of");
    root.innerHTML = LIST_HTML;
    this.$(".find").addEventListener("input", () => this.sift());
    root.addEventListener("click", (event) => this.clicked(event));
    root.addEventListener("keydown", (event) => this.moved(event));
    for (const type of ["library", "lang", "voice"]) tts.addEventListener(type, () => this.show());
    tts.addEventListener("heard", ({ detail }) => { this.$(".list-error").hidden = !detail?.failed; this.show(); });
    this.show();
  }

  $(selector) { return this.root.querySelector(selector); }
  get seen() { return [...this.root.querySelectorAll("li:not([hidden]) .take")]; }

  // Its languages, where there are several, and the favourites, where there are some.
  get sieves() {
    const tongues = new Set(tts.library.voices.map((voice) => voice.language.slice(0, 2)).filter(Boolean));
    const several = tongues.size > 1 ? [...tongues].sort((a, b) => (b === "zh") - (a === "zh")) : [];
    const starred = VoiceList.favourites().some((id) => tts.library.find(id)) ? ["*"] : [];
    const found = [...starred, ...several];
    return found.length ? ["", ...found] : [];
  }

  show() {
    if (!this.root.isConnected && this.items.size) return;
    const stars = VoiceList.favourites(), voices = tts.library.voices;
    const sorted = [...voices].sort((a, b) => stars.includes(b.id) - stars.includes(a.id));
    const items = sorted.map((voice) => this.item(voice, stars.includes(voice.id)));
    const list = this.$(".voice-list");
    if (items.some((item, i) => item !== list.children[i]) || items.length !== list.children.length) this.place(list, items);
    tts.label(this.root);
    this.sieve();
    this.sift();
  }

  place(list, items) { // the focus stays where it was
    const focused = list.contains(document.activeElement) ? document.activeElement : null;
    list.replaceChildren(...items);
    focused?.focus();
  }

  item(voice, starred) {
    let item = this.items.get(voice.id);
    if (!item) {
      item = document.createElement("li");
      item.innerHTML = ITEM_HTML;
      item.dataset.voice = voice.id;
      this.items.set(voice.id, item);
    }
    const find = (selector) => item.querySelector(selector), name = voiceName(voice);
    const hearing = tts.hearing(tts.library.sample(voice.id)), listen = find(".listen"), chosen = voice.id === this.chosen();
    find("b").textContent = name;
    find(".about").textContent = tts.library.about(voice);
    find(".tags").textContent = voice.tags.map((tag) => `#${tag}`).join(" ");
    if (listen.dataset.on !== String(hearing)) listen.innerHTML = hearing ? ICONS.stop : ICONS.play;
    listen.dataset.on = hearing;
    listen.setAttribute("aria-label", tts.t(hearing ? "stop" : "voice_listen", { name }));
    find(".take").setAttribute("aria-pressed", chosen);
    item.classList.toggle("chosen", chosen);
    find(".star").setAttribute("aria-label", tts.t("voice_star", { name }));
    find(".star").setAttribute("aria-pressed", starred);
    return item;
  }

  sieve() {
    const box = this.$(".sieve"), sieves = this.sieves, words = tts.data.strings[tts.lang()];
    if (!sieves.includes(this.only)) this.only = "";
    const named = { "": "voices_all", "*": "voices_starred" };
    const focused = box.contains(document.activeElement) ? document.activeElement.value : null;
    box.replaceChildren(...sieves.map((value) => {
      const button = Object.assign(document.createElement("button"), { type: "button", value });
      button.textContent = words[named[value] ?? `lang_${value}`] ?? value;
      button.setAttribute("aria-pressed", value === this.only);
      return button;
    }));
    box.hidden = !sieves.length;
    if (focused !== null) [...box.children].find((button) => button.value === focused)?.focus();
  }

  sift() {
    const wanted = this.$(".find").value.trim().toLowerCase().split(/\s+/), stars = VoiceList.favourites();
    let n = 0;
    for (const voice of tts.library.voices) {
      const words = [voice.id, voice.name, voice.name_zh, voice.language, tts.library.about(voice), ...voice.tags].join(" ").toLowerCase();
      const fits = !this.only || (this.only === "*" ? stars.includes(voice.id) : voice.language.startsWith(this.only));
      const hit = fits && wanted.every((word) => words.includes(word));
      n += hit;
      this.items.get(voice.id).hidden = !hit;
    }
    const words = tts.t("voices_found", { n });
    if (this.$(".found").textContent !== words) this.$(".found").textContent = words;
    this.$(".none").hidden = n > 0;
  }

  clicked(event) {
    const button = event.target.closest("button"), voice = tts.library.find(button?.closest("li")?.dataset.voice);
    if (!button) return;
    if (!voice) {
      this.only = button.value;
      this.sieve();
      this.sift();
    } else if (button.matches(".listen")) tts.listen(tts.library.sample(voice.id));
    else if (button.matches(".take")) this.choose(voice);
    else this.star(voice.id);
  }

  star(id) {
    const stars = VoiceList.favourites();
    tts.store.write(FAVOURITES, JSON.stringify({ ids: stars.includes(id) ? stars.filter((one) => one !== id) : [...stars, id] }));
    tts.emit("library");
  }

  // Up and down go from name to name, and from the search to the first one.
  moved(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key], names = this.seen;
    if (!step || !names.length) return;
    const item = event.target.closest("li"), at = item ? names.indexOf(item.querySelector(".take")) : -1;
    if (at < 0 && !event.target.matches(".find")) return;
    event.preventDefault();
    const next = names[at + step] ?? (step < 0 ? this.$(".find") : null);
    next?.focus();
  }
}
