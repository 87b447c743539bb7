// One voice, as a row: heard, used, made the default; one of the library also edited, trimmed, exported, deleted.
const option = (value, key) => Object.assign(document.createElement("option"), { value, textContent: key ? tts.t(key) : "" });

function refill(select, options) { // the chosen one stays
  const { value } = select;
  select.replaceChildren(...options);
  select.value = value;
  if (select.selectedIndex < 0) select.selectedIndex = 0;
}

// The choices of a voice's language and gender, in the page's language; own: the language that it has.
function fillChoices(root, own = "") {
  const known = tts.data.languages.length ? tts.data.languages : ["zh", "en"], words = tts.data.strings[tts.lang()];
  const tongues = [...new Set(["", ...known, own])];
  refill(root.querySelector("[name=language]"), tongues.map((code) => new Option(words[code ? `lang_${code}` : "unsaid"] ?? words[code] ?? code, code)));
  refill(root.querySelector("[name=gender]"), ["", "female", "male"].map((code) => option(code, code || "unsaid")));
}

const tagsOf = (text) => text.split(/[,，、;；]/).map((tag) => tag.trim()).filter(Boolean);

const ROW_HTML = `
  <div class="voice-row">
    <button type="button" class="round listen"></button>
    <div class="voice-words"><b class="voice-title" data-noi18n></b> <span class="tag default" data-t="voice_is_default"></span>
      <span class="tag plain private" data-t="voice_private"></span> <span class="tag plain mixed" data-t="kind_blend"></span>
      <div class="voice-about"></div><div class="voice-tags" data-noi18n></div></div>
    <div class="voice-deeds">
      <button type="button" class="pill use" data-t="voice_use"></button>
      <button type="button" class="pill prefer" data-t="voice_prefer"></button>
      <button type="button" class="pill edit own" data-t="voice_edit" aria-expanded="false"></button>
      <button type="button" class="pill delete own" data-t="voice_delete"></button>
    </div>
  </div>`;
const FORM_HTML = `
  <form class="voice-form" hidden novalidate>
    <div class="field"><label><span data-t="voice_name"></span><input name="name" maxlength="64" autocomplete="off"></label></div>
    <div class="pair">
      <div class="field"><label><span data-t="voice_language"></span><select name="language"></select></label></div>
      <div class="field"><label><span data-t="voice_gender"></span><select name="gender"></select></label></div>
    </div>
    <div class="field"><label><span data-t="voice_tags"></span><input name="tags" autocomplete="off"></label></div>
    <div class="field transcript" hidden><label><span data-t="voice_transcript"></span><textarea name="transcript" rows="2" maxlength="1000"></textarea></label></div>
    <label class="check share" hidden><input type="checkbox" name="shared"><span data-t="voice_share"></span></label>
    <div class="voice-mixer" hidden></div>
    <div class="voice-trim" hidden><div></div><p class="hint" data-t="trim_hint"></p></div>
    <div class="chips"><button type="submit" class="pill strong" data-t="save"></button><button type="button" class="pill cancel" data-t="cancel"></button>
      <button type="button" class="pill trim" data-t="trim"></button><a class="pill export" data-t="voice_export"></a></div>
  </form>`;

class Row {
  static admin = false; // whether this visitor may choose the default

  // run(action): does it, and shows what went wrong; gone(voice): it was deleted
  constructor(voice, run, gone) {
    Object.assign(this, { voice, run, gone });
    this.item = document.createElement("li");
    this.item.dataset.voice = voice.id;
    this.item.innerHTML = ROW_HTML;
    const { library } = tts, { id } = voice;
    this.on(".listen", () => tts.listen(library.sample(id)));
    this.on(".use", () => tts.emit("use", id));
    this.on(".prefer", () => run(() => library.change(id, { default: true })));
    this.on(".edit", () => this.open(!this.form || this.form.hidden));
    this.on(".delete", () => run(async () => {
      await library.remove(id);
      this.gone(this.voice);
    }));
    this.show();
  }

  $(selector) { return this.item.querySelector(selector); }
  on(selector, act, type = "click") { this.$(selector).addEventListener(type, act); }

  // The form is made when it is first asked for: there may be many rows.
  build() {
    this.item.insertAdjacentHTML("beforeend", FORM_HTML);
    this.form = this.$("form");
    this.on(".cancel", () => this.open(false));
    this.on("button.trim", () => this.openTrim());
    this.on("form", (event) => {
      event.preventDefault();
      this.run(() => this.save());
    }, "submit");
  }

  async save() {
    const { name, language, gender, tags, transcript, shared } = this.form.elements, { voice, part } = this;
    const changes = { name: name.value, language: language.value, gender: gender.value, tags: tagsOf(tags.value) };
    if (voice.owned) changes.shared = shared.checked;
    if (voice.blend) changes.blend = this.mixer.value;
    if (voice.blend && !changes.blend) throw { key: "blend_needs_two" };
    if (part) Object.assign(changes, { start: part[0], end: part[1] });
    if (transcript.value.trim() !== voice.transcript) changes.transcript = transcript.value.trim();
    await tts.library.change(voice.id, changes);
    this.open(false);
  }

  open(wanted) {
    if (wanted && !this.form) this.build();
    const { form, voice } = this;
    if (form) form.hidden = !wanted;
    this.$(".edit").setAttribute("aria-expanded", wanted);
    this.part = null;
    this.trim?.close();
    if (!wanted) return this.$(".edit").focus();
    fillChoices(form, voice.language);
    const { language, name, gender, tags, transcript, shared } = form.elements;
    name.value = voice.name;
    language.value = voice.language;
    gender.value = voice.gender;
    tags.value = voice.tags.join(", ");
    shared.checked = voice.shared;
    transcript.value = voice.transcript;
    this.$(".transcript").hidden = voice.kind !== "clip" || !tts.data.can.transcript;
    this.$(".share").hidden = !voice.owned;
    this.$(".voice-trim").hidden = true;
    this.$("button.trim").hidden = voice.kind !== "clip";
    this.$(".voice-mixer").hidden = !voice.blend;
    if (voice.blend) (this.mixer ??= new Mixer(this.$(".voice-mixer"))).set(voice.blend);
    Object.assign(this.$(".export"), { href: tts.library.archive(voice.id), download: `${voice.id}.zip` });
    this.show();
    return name.focus();
  }

  openTrim() {
    this.trim ??= new Trim(this.$(".voice-trim > div"), (start, end) => { this.part = [start, end]; });
    this.run(async () => {
      const answer = await fetch(tts.library.sound(this.voice.id), { cache: "no-store" }).catch(() => { throw { key: "error_away" }; });
      if (!(answer.ok && (await this.trim.open(await answer.arrayBuffer())))) throw { key: "trim_lost" };
      this.$(".voice-trim").hidden = false;
    });
  }

  show() {
    const { voice } = this, { library } = tts, name = library.name(voice);
    tts.label(this.item);
    this.$(".voice-title").textContent = name;
    this.$(".voice-about").textContent = library.about(voice);
    this.$(".voice-tags").textContent = voice.tags.map((tag) => `#${tag}`).join(" ");
    this.$(".default").hidden = !voice.default;
    this.$(".private").hidden = voice.shared;
    this.$(".mixed").hidden = !voice.blend;
    this.$(".prefer").hidden = voice.default || !voice.shared || !Row.admin;
    for (const button of this.item.querySelectorAll(".own")) button.hidden = !voice.editable;
    for (const [selector, key] of [[".use", "voice_use"], [".prefer", "voice_prefer"], [".edit", "voice_edit"], [".delete", "voice_delete"]]) {
      this.$(selector).setAttribute("aria-label", tts.t("of_voice", { what: tts.t(key), name }));
    }
    const hearing = tts.hearing(library.sample(voice.id)), listen = this.$(".listen");
    listen.innerHTML = hearing ? ICONS.stop : ICONS.play;
    listen.setAttribute("aria-label", tts.t(hearing ? "stop" : "voice_listen", { name }));
    if (this.form && !this.form.hidden) fillChoices(this.form, voice.language);
    this.mixer?.show();
  }
}
