// One number: a slider, its field, and a way back to its default.
class Dial {
  // spec: {low, high, step, default, label(), help(), fixed: whether the label is the same in all languages}; changed(): after each change by the user
  constructor(spec, changed = () => {}) {
    Object.assign(this, { spec, changed });
    const { low, high, step } = spec, id = `dial-${tts.ids = (tts.ids ?? 0) + 1}`, limits = `min="${low}" max="${high}" step="${step}"`;
    this.box = document.createElement("div");
    this.box.className = "dial";
    this.box.innerHTML = `<label for="${id}"></label>
      <button type="button" class="undo" hidden><svg class="line" viewBox="0 0 24 24" aria-hidden="true"><path d="M5 5v5h5M5.6 10A7.5 7.5 0 1 1 4.6 14"/></svg></button>
      <input type="number" id="${id}" ${limits}><input type="range" ${limits}><p class="hint"></p>`;
    [this.number, this.range] = this.box.querySelectorAll("input");
    this.undo = this.box.querySelector(".undo");
    this.range.addEventListener("input", () => this.#take(Number(this.range.value)));
    this.number.addEventListener("change", () => this.#take(this.number.value === "" ? spec.default : Number(this.number.value)));
    this.undo.addEventListener("click", () => { this.#take(spec.default); this.number.focus(); });
    this.set(spec.default);
    this.label();
  }

  get isDefault() { return this.value === this.spec.default; }

  set(value) {
    const { low, high, step } = this.spec;
    const near = Math.min(high, Math.max(low, Math.round((Number(value) - low) / step) * step + low));
    this.value = Number((Number.isFinite(near) ? near : this.spec.default).toFixed(4));
    this.number.value = this.range.value = this.value;
    this.range.style.setProperty("--part", (this.value - low) / (high - low));
    this.undo.hidden = this.isDefault;
  }

  #take(value) {
    this.set(value);
    this.changed();
  }

  label() {
    const name = this.spec.label();
    const label = this.box.querySelector("label");
    label.textContent = name;
    [label, this.range].forEach((e) => e.toggleAttribute("data-noi18n", Boolean(this.spec.fixed))); // "Top-k", say
    this.range.setAttribute("aria-label", name);
    this.undo.setAttribute("aria-label", tts.t("reset_one", { name }));
    this.undo.title = tts.t("reset_one", { name });
    this.box.querySelector(".hint").textContent = this.spec.help?.() ?? "";
  }
}
