// An emotion of one's own for a speaker or a line: the same controls as beside the text of the Speak tab.
const FEELING_ICON = '<svg class="line" viewBox="0 0 24 24" aria-hidden="true"><path d="M5 4v7m0 5v4M12 4v3m0 5v8M19 4v9m0 5v2M2.5 13.5h5M9.5 9.5h5M16.5 15.5h5"/></svg>';

class Feeling {
  constructor(dialog) {
    Object.assign(this, { dialog, form: new EmotionForm(dialog.querySelector(".emotion")), taken: () => {} });
    this.form.radio("same").closest("label").hidden = true; // the list beside the button has it
    dialog.querySelector("form").addEventListener("submit", (event) => { event.preventDefault(); this.#take(); });
    this.$(".cancel").addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); }); // beside it
    tts.addEventListener("lang", () => this.show());
  }

  $(selector) { return this.dialog.querySelector(selector); }

  // name: of whom, in words; emotion: as the API takes it, or a preset's name; taken(emotion): another one
  open(name, emotion, taken) {
    Object.assign(this, { name, taken });
    const preset = typeof emotion === "string" && tts.data.presets[emotion];
    const told = preset ? { sliders: preset, weight: 1 } : emotion && typeof emotion === "object" ? emotion : {};
    const sound = told.clip ? { key: tts.feelings.bare(told.clip), name: "" } : null;
    this.form.restore({ ...tts.feelings.shown(told, sound) });
    if (this.form.mode === "same") {
      this.form.radio(tts.data.can.emotion_text ? "text" : "vector").checked = true;
      this.form.show();
    }
    this.complain("");
    this.show();
    this.dialog.showModal();
    this.$("input[type=radio]:checked").focus();
  }

  show() {
    if (this.name === undefined) return;
    tts.label(this.dialog);
    this.$("h2").textContent = tts.t("script_emotion_of", { name: this.name });
    this.$("h2").toggleAttribute("data-noi18n", true);
    if (this.problem) this.complain(this.problem);
  }

  complain(key) {
    this.problem = key;
    Object.assign(this.$(".felt-error"), { hidden: !key, textContent: key && tts.t(key) });
  }

  #take() {
    const { mode } = this.form, emotion = tts.feelings.told(this.form.value);
    if (!emotion) return this.complain({ clip: "emotion_clip_missing", text: "emotion_words_missing" }[mode] ?? "emotion_sliders_missing");
    this.dialog.close();
    this.taken(emotion);
  }
}
