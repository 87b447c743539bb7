// The form of the Dictionary tab: a new entry, or one that is changed; tried out before it is kept.
class EntryForm {
  constructor(form, save) { // save(fields, entry): entry is null for a new one; throws what tts.api throws
    Object.assign(this, { form, save, entry: null, problem: null, ownSentence: false, private: false });
    const { kinds } = tts.data.readings;
    const choice = (kind, i) => `<label><input type="radio" name="kind" value="${kind}"${i ? "" : " checked"}><span data-t="dict_${kind}"></span></label>`;
    this.$(".switch").innerHTML = kinds.map(choice).join("");
    this.$(".kinds").hidden = kinds.length < 2;
    const failed = (error) => this.complain(error);
    this.trials = [
      [".hear-with", "dict_hear", () => this.heard(true)],
      [".hear-without", "dict_hear_without", () => this.heard(false)],
    ].map(([selector, key, what]) => new Listening(this.$(selector), what, (hearing) => ({ text: tts.t(hearing ? "stop" : key) }), failed));
    form.addEventListener("submit", (event) => { event.preventDefault(); this.submit(); });
    form.addEventListener("input", ({ target }) => {
      if (target.name === "sentence") this.ownSentence = Boolean(target.value.trim());
      this.show();
    });
    this.$(".cancel").addEventListener("click", () => { this.open(null); this.$("[name=word]").focus(); });
    this.show();
  }

  $(selector) { return this.form.querySelector(selector); }

  get fields() {
    const { word, said, kind, language, note, shared } = this.form.elements;
    return {
      word: word.value.trim(), said: said.value.trim(), kind: kind.value || "respelling", language: language.value,
      note: note.value.trim(), ...(this.private ? { shared: shared.checked } : {}),
    };
  }

  // Fills it: with an entry that is changed, with {fields} of an example, or, with null, with nothing.
  open(entry, fields = entry) {
    this.entry = entry;
    this.form.reset();
    this.ownSentence = false;
    const { word, said, language, note, shared } = this.form.elements;
    if (fields) {
      Object.assign(word, { value: fields.word });
      said.value = fields.said;
      note.value = fields.note ?? "";
      shared.checked = Boolean(fields.shared);
      this.$(`[name=kind][value=${fields.kind}]`)?.click();
      this.fillLanguages(fields.language ?? "");
      language.value = fields.language ?? "";
    }
    this.complain(null);
    this.show();
  }

  complain(error) {
    this.problem = error;
    const box = this.$(".form-error"), text = error ? error.message ?? tts.t(error.key) : "";
    Object.assign(box, { textContent: text, hidden: !text });
  }

  missing() {
    const { word, said } = this.fields;
    if (!word) return ["dict_needs_word", "word"];
    return said ? null : ["dict_needs_said", "said"];
  }

  lacks(which = this.missing()) {
    if (!which) return false;
    this.form.elements[which[1]].focus();
    this.complain({ key: which[0] });
    return true;
  }

  async heard(withIt) {
    const { note, shared, ...reading } = this.fields, lack = withIt ? this.missing() : reading.word ? null : ["dict_needs_word", "word"];
    if (lack) {
      this.form.elements[lack[1]].focus();
      throw { key: lack[0] };
    }
    const { value } = this.form.elements.sentence;
    return tried(value.trim() || sentenceWith(reading), withIt ? [reading] : [], withIt);
  }

  async submit() {
    if (this.lacks()) return;
    const button = this.$("[type=submit]");
    button.disabled = true;
    try {
      await this.save(this.fields, this.entry);
      this.open(null);
      this.$("[name=word]").focus();
    } catch (error) { this.complain(error); }
    button.disabled = false;
  }

  fillLanguages(also) {
    const { language } = this.form.elements, { value } = language, words = tts.data.strings[tts.lang()];
    const codes = [...new Set(["", ...tts.data.readings.languages, also])];
    language.replaceChildren(...codes.map((code) => new Option(code ? words[`lang_${code}`] ?? code : tts.t("dict_any"), code)));
    language.value = codes.includes(value) ? value : "";
  }

  show() {
    const { sentence, language } = this.form.elements, { word, kind } = this.fields;
    tts.label(this.form);
    this.fillLanguages(language.value);
    if (!this.ownSentence) sentence.value = word ? sentenceWith(this.fields) : "";
    this.$(".form-title").textContent = tts.t(this.entry ? "dict_change" : "dict_add");
    this.$("[type=submit]").textContent = tts.t(this.entry ? "save" : "dict_save");
    this.$(".cancel").hidden = !this.entry;
    this.$(".share-word").hidden = !this.private;
    const phonemes = tts.data.engine === "kokoro" ? "dict_phonemes_help_ipa" : "dict_phonemes_help";
    this.$("#dict-help").textContent = tts.t(kind === "phonemes" ? phonemes : `dict_${kind}_help`);
    this.$("[name=said]").placeholder = tts.t(`dict_${kind}_hint`);
    this.trials.forEach((trial) => trial.show());
    this.complain(this.problem);
  }
}
