// A blend of built-in voices: two to four of them, each with its share, heard before it is saved.
const MIXER_HTML = `
  <ul class="parts"></ul>
  <div class="chips"><button type="button" class="pill more" data-t="blend_more"></button>
    <button type="button" class="pill hear"><span class="hear-icon"></span><span class="hear-words"></span></button></div>
  <p class="mixer-error" role="alert" hidden></p>`;
const PART_HTML = `
  <select></select>
  <div class="part-share"><input type="range" min="1" max="100" step="1"><output></output></div>
  <button type="button" class="round less">${ICONS.close}</button>`;

class Mixer {
  static LEAST = 2;
  static MOST = 4;

  constructor(root) {
    Object.assign(this, { root, parts: [], sound: "", problem: null, busy: false });
    root.classList.add("mixer");
    root.innerHTML = MIXER_HTML;
    this.$(".more").addEventListener("click", () => this.more());
    this.$(".hear").addEventListener("click", () => this.hear());
    root.addEventListener("input", ({ target }) => this.changed(target));
    root.addEventListener("click", ({ target }) => { if (target.closest(".less")) this.less([...this.$(".parts").children].indexOf(target.closest("li"))); });
    tts.addEventListener("heard", () => this.show());
    this.show();
  }

  $(selector) { return this.root.querySelector(selector); }
  get voices() { return tts.library.voices.filter((voice) => voice.kind === "builtin"); }

  // As the API takes it, "a:60+b:40"; "" where it is none
  get value() {
    const different = new Set(this.parts.map(({ id }) => id));
    return different.size < Mixer.LEAST ? "" : this.parts.map(({ id, share }) => `${id}:${share}`).join("+");
  }

  set(blend = "") {
    this.parts = blend ? tts.library.parts(blend).map(({ id, share }) => ({ id, share })) : [];
    this.problem = null;
    this.show();
  }

  // From the start there are two: the first voice, and the first of another language.
  fill() {
    if (this.parts.length || this.voices.length < Mixer.LEAST) return;
    const [first, ...others] = this.voices;
    const second = others.find(({ language }) => language.slice(0, 2) !== first.language.slice(0, 2)) ?? others[0];
    this.parts = [{ id: first.id, share: 60 }, { id: second.id, share: 40 }];
  }

  more() {
    const used = this.parts.map(({ id }) => id), free = this.voices.find(({ id }) => !used.includes(id));
    this.parts.push({ id: free.id, share: 30 });
    this.show();
    this.$("li:last-child select").focus();
  }

  less(at) {
    this.parts.splice(at, 1);
    this.show();
    this.$(".more").focus();
  }

  changed(target) {
    const at = [...this.$(".parts").children].indexOf(target.closest("li")), part = this.parts[at];
    if (target.matches("select")) part.id = target.value;
    else part.share = Number(target.value);
    this.problem = null;
    this.show();
  }

  async hear() {
    if (this.sound && tts.hearing(this.sound)) return tts.listen(this.sound);
    if (!this.value) return this.fail({ key: "blend_needs_two" });
    this.busy = true;
    this.fail(null);
    try {
      const loudest = tts.library.find(this.parts.reduce((a, b) => (b.share > a.share ? b : a)).id);
      const words = tts.data.strings[loudest.language.startsWith("zh") ? "zh-CN" : "en"].blend_sentence;
      const sound = await tts.library.say(this.value, words);
      URL.revokeObjectURL(this.sound);
      this.sound = sound;
      tts.listen(sound);
    } catch (error) { this.problem = error; }
    this.busy = false;
    this.show();
  }

  fail(problem) {
    this.problem = problem;
    this.show();
  }

  show() {
    this.fill();
    tts.label(this.root);
    const list = this.$(".parts"), { parts, problem } = this, whole = parts.reduce((sum, { share }) => sum + share, 0);
    while (list.children.length > parts.length) list.lastChild.remove();
    while (list.children.length < parts.length) {
      list.append(Object.assign(document.createElement("li"), { innerHTML: PART_HTML }));
    }
    parts.forEach((part, i) => this.showPart(list.children[i], part, i, whole));
    this.$(".more").hidden = parts.length >= Math.min(Mixer.MOST, this.voices.length);
    const hearing = Boolean(this.sound) && tts.hearing(this.sound);
    this.$(".hear-icon").innerHTML = hearing ? ICONS.stop : ICONS.play;
    this.$(".hear-words").textContent = tts.t(this.busy ? "blend_speaking" : hearing ? "stop" : "blend_hear");
    this.$(".hear").disabled = this.busy;
    const text = problem ? problem.message ?? tts.t(problem.key) : "";
    Object.assign(this.$(".mixer-error"), { textContent: text, hidden: !text });
  }

  showPart(item, { id, share }, i, whole) {
    const [select, range, output, less] = ["select", "input", "output", ".less"].map((one) => item.querySelector(one));
    const name = tts.library.name(tts.library.find(id) ?? { name: id, name_zh: id });
    select.replaceChildren(...this.voices.map((voice) => new Option(tts.library.label(voice), voice.id)));
    select.value = id;
    select.setAttribute("aria-label", tts.t("blend_part", { n: i + 1 }));
    range.value = share;
    range.style.setProperty("--part", (share - 1) / 99);
    range.setAttribute("aria-label", tts.t("blend_share", { name }));
    const percent = `${Math.round((100 * share) / whole)} %`;
    output.textContent = percent;
    range.setAttribute("aria-valuetext", percent);
    less.hidden = this.parts.length <= Mixer.LEAST;
    less.setAttribute("aria-label", tts.t("blend_less", { name }));
  }
}
