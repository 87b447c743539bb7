// How it is said: as the voice's own clip, as another clip, by eight sliders, or as described in words.
const EMOTION = "tts.emotion", WEIGHT = 0.65; // of the official page

class EmotionPanel {
  constructor(root) {
    this.root = root;
    const { emotions, can } = tts.data, named = (key) => () => tts.t(`emotion_${key}`);
    const save = () => this.save();
    this.clip = new Clip(this.$(".emotion-clip"), save);
    this.faders = emotions.map((name) => new Dial({ low: 0, high: 1, step: 0.05, default: 0, label: named(name) }, save));
    this.$(".faders").append(...this.faders.map((fader) => fader.box));
    this.weight = new Dial({ low: 0, high: 1, step: 0.05, default: WEIGHT, label: named("weight"), help: named("weight_help") }, save);
    this.$(".weight").append(this.weight.box);
    this.$(".presets").append(...["none", ...Object.keys(tts.data.presets)].map((name) => {
      const button = Object.assign(document.createElement("button"), { type: "button" });
      Object.assign(button.dataset, { preset: name, t: `emotion_${name}` });
      return button;
    }));
    this.radio("text").disabled = !can.emotion_text;
    this.$("#emotion-text-reason").hidden = Boolean(can.emotion_text);
    this.restore(tts.kept(EMOTION));
    root.addEventListener("click", (event) => {
      const preset = event.target.closest("[data-preset]")?.dataset.preset;
      if (preset) this.fill(tts.data.presets[preset] ?? []);
    });
    root.addEventListener("change", save);
    this.$(".words").addEventListener("input", save);
    tts.addEventListener("lang", () => this.show());
    tts.tuning.parts.emotion = () => ({ emotion: this.value });
  }

  $(selector) { return this.root.querySelector(selector); }
  radio(mode) { return this.$(`input[value="${mode}"]`); }
  get mode() { return this.$("input[type=radio]:checked").value; }

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
    this.weight.set(weight ?? WEIGHT);
    this.$(".random").checked = Boolean(random);
    this.faders.forEach((fader, i) => fader.set(vector?.[i] ?? 0));
    this.$(".words").value = text ?? "";
    this.clip.set(sound ?? null);
    this.show();
  }

  save() {
    this.show();
    tts.keep(EMOTION, { ...this.value, sound: this.clip.value });
  }

  show() {
    tts.label(this.root);
    [...this.faders, this.weight].forEach((dial) => dial.label());
    this.root.querySelectorAll("[data-for]").forEach((e) => { e.hidden = !e.dataset.for.split(" ").includes(this.mode); });
  }
}
