// One line by itself, in a dialog: its words, who says them, and what differs from the speaker.
const LINE_HTML = `
  <form method="dialog" novalidate>
    <h2 id="script-line-name"></h2>
    <ul class="problems"></ul>
    <div class="field"><label for="script-line-speaker" data-t="script_speaker"></label>
      <input id="script-line-speaker" name="speaker" maxlength="100" list="script-speakers" autocomplete="off"><datalist id="script-speakers" data-noi18n></datalist></div>
    <div class="field"><label for="script-line-text" data-t="script_words"></label><textarea id="script-line-text" name="text" class="words" rows="4" data-noi18n></textarea></div>
    <div class="pair">
      <div class="field"><label for="script-line-voice" data-t="voice"></label><select id="script-line-voice" name="voice"></select></div>
      <div class="field of-emotion"><label for="script-line-emotion" data-t="emotion"></label><span class="with-button"><select id="script-line-emotion" name="emotion"></select><button type="button" class="round feel" data-t-title="script_feeling" data-t-label="script_feeling">${FEELING_ICON}</button></span></div>
      <div class="field"><label for="script-line-speed" data-t="script_speed"></label><input id="script-line-speed" name="speed" type="number" min="0.25" max="4" step="0.05" data-t-hint="script_as_speaker"></div>
      <div class="field"><label for="script-line-language" data-t="speech_language"></label><select id="script-line-language" name="language"></select></div>
      <div class="field of-seed"><label for="script-line-seed" data-t="script_seed"></label><input id="script-line-seed" name="seed" type="number" min="0" max="4294967295" step="1" placeholder="0"></div>
      <div class="field of-slot"><label for="script-line-start" data-t="script_start"></label><input id="script-line-start" name="start" type="number" min="0" step="0.1"></div>
      <div class="field of-slot"><label for="script-line-end" data-t="script_end"></label><input id="script-line-end" name="end" type="number" min="0" step="0.1"></div>
    </div>
    <p class="form-error" role="alert" hidden></p>
    <div class="chips line-deeds">
      <button type="submit" class="pill strong save-line" data-t="script_save"></button>
      <button type="button" class="pill again"></button>
      <button type="button" class="pill danger remove" data-t="script_remove"></button>
      <button type="button" class="pill cancel" data-t="cancel"></button>
    </div>
  </form>`;

class LineForm {
  // done(index, fields, again): saved; fields is null where nothing differs. removed(index); feeling: see there, or null
  constructor(dialog, sheet, done, removed, feeling) {
    Object.assign(this, { dialog, sheet, done, removed });
    dialog.innerHTML = LINE_HTML;
    this.form = dialog.querySelector("form");
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.#save(false); });
    this.$(".again").addEventListener("click", () => this.#save(true));
    this.$(".cancel").addEventListener("click", () => dialog.close());
    this.$(".feel").addEventListener("click", () => {
      const { emotion } = this.form.elements;
      feeling.open(tts.t("script_line", { n: this.index + 1 }), Choices.value(emotion), (felt) => this.#emotions(felt));
    });
    this.$(".remove").addEventListener("click", () => { dialog.close(); this.removed(this.index); });
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); }); // beside it
  }

  $(selector) { return this.dialog.querySelector(selector); }

  // index of a new line: how many there are
  open(index) {
    const { sheet, form } = this, row = sheet.rows[index] ?? { text: "", speaker: sheet.rows.at(-1)?.speaker, problems: [] };
    Object.assign(this, { index, row });
    this.show();
    for (const name of ["speaker", "text", "speed", "seed", "start", "end"]) form.elements[name].value = row[name] ?? "";
    Choices.fill(form.elements.voice, tts.t("script_as_speaker"), Choices.voices(), row.voice);
    this.#emotions(row.emotion);
    Choices.fill(form.elements.language, tts.t("lang_auto"), Choices.languages(), row.language);
    this.dialog.showModal();
    form.elements.text.focus();
  }

  #emotions(emotion) { Choices.fill(this.form.elements.emotion, tts.t("script_as_speaker"), Choices.emotions(), emotion); }

  show() {
    const { sheet, form, index, row } = this, fresh = index >= sheet.rows.length;
    if (index === undefined) return;
    tts.label(this.dialog);
    this.$("h2").textContent = tts.t("script_line", { n: index + 1 });
    this.$("datalist").replaceChildren(...sheet.names.slice(0, 200).map(({ name }) => new Option(name)));
    form.elements.speaker.placeholder = tts.t("script_narrator");
    this.$(".of-seed").hidden = !tts.data.can.seed;
    this.$(".problems").replaceChildren(...(row.problems ?? []).map((problem) => {
      return Object.assign(document.createElement("li"), { textContent: told(problem) });
    }));
    this.$(".of-emotion").hidden = !tts.data.can.emotion;
    for (const field of this.dialog.querySelectorAll(".of-slot")) field.hidden = !sheet.slots || Boolean(sheet.job);
    this.$(".again").hidden = !sheet.job;
    this.$(".again").textContent = tts.t("script_save_again");
    this.$(".save-line").classList.toggle("strong", !sheet.job);
    this.$(".again").classList.toggle("strong", Boolean(sheet.job));
    this.$(".remove").hidden = fresh || Boolean(sheet.job);
    this.$(".form-error").hidden = true;
  }

  #save(again) {
    const { form, row } = this, { elements } = form, text = elements.text.value.trim();
    if (!text) {
      Object.assign(this.$(".form-error"), { hidden: false, textContent: tts.t("script_words_missing") });
      return elements.text.focus();
    }
    const number = (name) => (elements[name].value === "" ? undefined : Number(elements[name].value));
    const fields = { text, speaker: elements.speaker.value.trim(), voice: elements.voice.value, emotion: Choices.value(elements.emotion), language: elements.language.value };
    for (const name of ["speed", "seed", "start", "end"]) fields[name] = number(name);
    const same = Object.entries(fields).every(([name, value]) => JSON.stringify(row[name] ?? "") === JSON.stringify(value ?? ""));
    this.dialog.close();
    this.done(this.index, same ? null : fields, again);
  }
}

// An error of the server's, in the page's language. Where it says where in the body, the row says so already.
const PLACE = /\b(lines\.\d+|cast\..{0,100}?)\.(?=(voice|emotion|speed|language|seed|start|end|text|speaker)\b)/;
const told = ({ key, code, param, message, message_zh }) => {
  if (key) return tts.t(key);
  if (code === "voice_not_found") return tts.t("script_bad_voice");
  if (/\.emotion$/.test(param ?? "")) return tts.t("script_bad_emotion");
  return (tts.lang() === "zh-CN" ? message_zh ?? message : message).replace(PLACE, "");
};
