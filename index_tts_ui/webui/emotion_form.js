// How it is said: as the voice's own clip, as another clip, by eight sliders, or as described in words.
class EmotionForm {
  static WEIGHT = 0.65; // of the official page

  // changed(): after each change by the user
  constructor(root, changed = () => {}) {
    Object.assign(this, { root, changed });
    const { emotions, can } = tts.data, named = (key) => () => tts.t(`emotion_${key}`);
    const save = () => this.save();
    this.clip = new Clip(this.$(".emotion-clip"), save);
    this.faders = emotions.map((name) => new Dial({ low: 0, high: 1, step: 0.05, default: 0, label: named(name) }, save));
    this.$(".faders").append(...this.faders.map((fader) => fader.box));
    this.rose = new Rose(this.$(".rose"));
    this.weight = new Dial({ low: 0, high: 1, step: 0.05, default: EmotionForm.WEIGHT, label: named("weight"), help: named("weight_help") }, save);
    this.$(".weight").append(this.weight.box);
    this.$(".presets").append(...["none", ...Object.keys(tts.data.presets)].map((name) => {
      const button = Object.assign(document.createElement("button"), { type: "button" });
      Object.assign(button.dataset, { preset: name, t: `emotion_${name}` });
      return button;
    }));
    this.#reason(Boolean(can.emotion_text));
    root.addEventListener("click", (event) => {
      const preset = event.target.closest("[data-preset]")?.dataset.preset;
      if (preset) this.fill(tts.data.presets[preset] ?? []);
    });
    root.addEventListener("change", save);
    this.$(".words").addEventListener("input", save);
    tts.addEventListener("lang", () => this.show());
    this.restore({});
  }

  $(selector) { return this.root.querySelector(selector); }
  radio(mode) { return this.$(`input[value="${mode}"]`); }
  get mode() { return this.$("input[type=radio]:checked").value; }

  // Why it cannot be said in words, where it cannot.
  #reason(can) {
    const reason = this.$(".emotion-text-reason"), text = this.radio("text");
    tts.ids = (tts.ids ?? 0) + 1;
    reason.id = `emotion-reason-${tts.ids}`;
    reason.hidden = can;
    text.disabled = !can;
    text.setAttribute("aria-describedby", reason.id);
  }

  get value() {
    const { mode } = this;
    return {
      mode, weight: this.weight.value, random: this.$(".random").checked,
      vector: this.faders.map((fader) => fader.value), clip: this.clip.value?.key ?? "", text: this.$(".words").value,
    };
  }

  fill(vector) {
    this.faders.forEach((fader, i) => fader.set(vector[i] ?? 0));
    this.save();
  }

  restore({ mode, weight, random, vector, text, sound }) {
    const known = this.root.querySelector(`input[value="${CSS.escape(mode ?? "same")}"]:not(:disabled)`);
    (known ?? this.radio("same")).checked = true;
    this.weight.set(weight ?? EmotionForm.WEIGHT);
    this.$(".random").checked = Boolean(random);
    this.faders.forEach((fader, i) => fader.set(vector?.[i] ?? 0));
    this.$(".words").value = text ?? "";
    this.clip.set(sound ?? null);
    this.show();
  }

  save() {
    this.show();
    this.changed();
  }

  show() {
    tts.label(this.root);
    [...this.faders, this.weight].forEach((dial) => dial.label());
    this.rose.show(this.faders.map((fader) => fader.value));
    this.root.querySelectorAll("[data-for]").forEach((e) => { e.hidden = !e.dataset.for.split(" ").includes(this.mode); });
  }
}
