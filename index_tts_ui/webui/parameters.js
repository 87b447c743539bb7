// Language, duration and seed, and whatever else the engine lets one set; all but the first two behind a fold.
const PARAMETERS = "tts.parameters", OUTSIDE = "duration_factor", SEEDS = 2 ** 32;

class ParameterPanel {
  constructor(root) {
    this.root = root;
    const { parameters, languages, can } = tts.data, save = () => this.save();
    this.dials = Object.fromEntries(Object.entries(parameters).map(([name, spec]) => {
      const words = (pair) => () => pair[tts.lang() === "zh-CN" ? 1 : 0];
      return [name, new Dial({ ...spec, label: words(spec.label), help: words(spec.help), fixed: spec.label[0] === spec.label[1] }, save)];
    }));
    for (const [name, dial] of Object.entries(this.dials)) {
      dial.box.dataset.parameter = name;
      this.$(name === OUTSIDE ? ".duration" : ".dials").append(dial.box);
    }
    this.language = this.$(".language");
    this.language.append(...["", ...languages].map((code) => {
      const option = Object.assign(document.createElement("option"), { value: code });
      option.dataset.t = code ? `lang_${code}` : "lang_auto";
      return option;
    }));
    this.seed = this.$(".seed");
    this.$(".language-field").hidden = !languages.length;
    this.$(".seed-field").hidden = !can.seed;
    this.$(".pace").hidden = !languages.length && !(OUTSIDE in this.dials);
    this.fallback = this.$(".fallback");
    this.$(".fallback-field").hidden = !tts.data.backup;
    this.$(".fold").hidden = !can.seed && !this.folded.length && !tts.data.backup;
    this.restore(tts.kept(PARAMETERS));
    this.language.addEventListener("change", save);
    this.seed.addEventListener("change", save);
    this.fallback.addEventListener("change", save);
    this.$(".keep-seed").addEventListener("click", () => { this.seed.value = this.last; this.save(); });
    this.$(".reset-all").addEventListener("click", () => this.reset());
    tts.addEventListener("lang", () => this.show());
    tts.addEventListener("apply", ({ detail }) => { this.restore(detail.parameters); this.save(); });
    tts.tuning.parts.parameters = (drawn) => (drawn ? this.drawn() : this.value);
  }

  $(selector) { return this.root.querySelector(selector); }
  get folded() { return Object.entries(this.dials).filter(([name]) => name !== OUTSIDE).map(([, dial]) => dial); }

  get value() {
    const changed = Object.entries(this.dials).filter(([, dial]) => !dial.isDefault);
    const fallback = this.fallback.checked ? "any" : "";
    return { language: this.language.value, seed: this.seed.value, fallback, params: Object.fromEntries(changed.map(([name, dial]) => [name, dial.value])) };
  }

  // For one request: without a seed of the user's, chance decides; the number is shown, so that it can be kept.
  drawn() {
    const { value } = this;
    if (!tts.data.can.seed) return { ...value, seed: 0 };
    this.last = value.seed === "" ? Math.floor(Math.random() * SEEDS) : Number(value.seed);
    this.show();
    return { ...value, seed: this.last };
  }

  restore({ language, seed, fallback, params = {} }) {
    this.fallback.checked = Boolean(tts.data.backup) && fallback === "any";
    this.language.value = tts.data.languages.includes(language) ? language : "";
    this.seed.value = seed ?? "";
    for (const [name, dial] of Object.entries(this.dials)) dial.set(params[name] ?? dial.spec.default);
    this.show();
  }

  reset() {
    this.folded.forEach((dial) => dial.set(dial.spec.default));
    this.seed.value = "";
    this.fallback.checked = false;
    this.save();
  }

  save() {
    const seed = Number(this.seed.value);
    if (this.seed.value !== "") this.seed.value = Math.min(SEEDS - 1, Math.max(0, Math.round(seed) || 0));
    this.show();
    tts.keep(PARAMETERS, this.value);
  }

  show() {
    tts.label(this.root);
    Object.values(this.dials).forEach((dial) => dial.label());
    const n = this.folded.filter((dial) => !dial.isDefault).length + (this.seed.value === "" ? 0 : 1) + this.fallback.checked;
    this.$(".changes").textContent = n ? tts.t("changes", { n }) : "";
    this.$(".reset-all").disabled = !n;
    const keep = this.$(".keep-seed");
    keep.hidden = this.last === undefined || this.seed.value !== "";
    keep.textContent = tts.t("seed_keep", { n: this.last });
  }
}
