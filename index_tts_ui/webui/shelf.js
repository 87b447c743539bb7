// One voice of the library, as a row: heard, used, made the default, edited, deleted.
const option = (value, key) => Object.assign(document.createElement("option"), { value, textContent: key ? tts.t(key) : "" });

// The choices of a voice's language and gender, in the page's language; the chosen one stays.
function fillChoices(root) {
  const fill = (select, options) => {
    const { value } = select;
    select.replaceChildren(...options);
    select.value = value;
    if (select.selectedIndex < 0) select.selectedIndex = 0;
  };
  fill(root.querySelector("[name=language]"), ["", ...tts.data.languages].map((code) => option(code, code ? `lang_${code}` : "unsaid")));
  fill(root.querySelector("[name=gender]"), ["", "female", "male"].map((code) => option(code, code || "unsaid")));
}

const tagsOf = (text) => text.split(/[,，、;；]/).map((tag) => tag.trim()).filter(Boolean);

const ROW_HTML = `
  <div class="voice-row">
    <button type="button" class="round listen"></button>
    <div class="voice-words"><b class="voice-title" data-noi18n></b> <span class="tag default" data-t="voice_is_default"></span>
      <div class="voice-about"></div><div class="voice-tags" data-noi18n></div></div>
    <div class="voice-deeds">
      <button type="button" class="pill use" data-t="voice_use"></button>
      <button type="button" class="pill prefer" data-t="voice_prefer"></button>
      <button type="button" class="pill edit" data-t="voice_edit"></button>
      <button type="button" class="pill delete" data-t="voice_delete"></button>
    </div>
  </div>
  <form class="voice-form" hidden novalidate>
    <div class="field"><label><span data-t="voice_name"></span><input name="name" maxlength="64" autocomplete="off"></label></div>
    <div class="pair">
      <div class="field"><label><span data-t="voice_language"></span><select name="language"></select></label></div>
      <div class="field"><label><span data-t="voice_gender"></span><select name="gender"></select></label></div>
    </div>
    <div class="field"><label><span data-t="voice_tags"></span><input name="tags" autocomplete="off"></label></div>
    <div class="chips"><button type="submit" class="pill strong" data-t="save"></button><button type="button" class="pill cancel" data-t="cancel"></button></div>
  </form>
  <div class="voice-sure" hidden><span class="sure-words"></span>
    <div class="chips"><button type="button" class="pill danger yes" data-t="voice_delete"></button><button type="button" class="pill no" data-t="cancel"></button></div></div>`;

class Row {
  // run(action): does it, and shows what went wrong
  constructor(voice, run) {
    Object.assign(this, { voice, run });
    this.item = document.createElement("li");
    this.item.dataset.voice = voice.id;
    this.item.innerHTML = ROW_HTML;
    const { library } = tts, { id } = voice, on = (selector, act, type = "click") => this.$(selector).addEventListener(type, act);
    on(".listen", () => tts.listen(library.sound(id)));
    on(".use", () => tts.emit("use", id));
    on(".prefer", () => run(() => library.change(id, { default: true })));
    on(".edit", () => this.open("form"));
    on(".cancel", () => this.open(""));
    on(".delete", () => this.open("sure"));
    on(".no", () => this.open(""));
    on(".yes", () => run(() => library.remove(id)));
    on("form", (event) => {
      event.preventDefault();
      const { name, language, gender, tags } = Object.fromEntries(new FormData(this.$("form")));
      run(async () => {
        await library.change(id, { name, language, gender, tags: tagsOf(tags) });
        this.open("");
      });
    }, "submit");
    this.show();
  }

  $(selector) { return this.item.querySelector(selector); }

  open(what) {
    const form = this.$("form"), { name, language, gender, tags } = this.voice;
    form.hidden = what !== "form";
    this.$(".voice-sure").hidden = what !== "sure";
    if (what === "form") {
      fillChoices(form);
      if (language && !tts.data.languages.includes(language)) form.elements.language.append(new Option(language));
      Object.assign(form.elements.name, { value: name });
      form.elements.language.value = language;
      form.elements.gender.value = gender;
      form.elements.tags.value = tags.join(", ");
    }
    this.$(what === "form" ? "[name=name]" : what === "sure" ? ".no" : ".edit").focus();
  }

  show() {
    const { voice } = this, { library } = tts, name = tts.lang() === "zh-CN" ? voice.name_zh : voice.name;
    tts.label(this.item);
    this.$(".voice-title").textContent = name;
    this.$(".voice-about").textContent = library.about(voice);
    this.$(".voice-tags").textContent = voice.tags.map((tag) => `#${tag}`).join(" ");
    this.$(".default").hidden = !voice.default;
    this.$(".prefer").hidden = Boolean(voice.default);
    this.$(".sure-words").textContent = tts.t("voice_sure", { name });
    const hearing = tts.hearing(library.sound(voice.id)), listen = this.$(".listen");
    listen.innerHTML = hearing ? ICONS.stop : ICONS.play;
    listen.setAttribute("aria-label", tts.t(hearing ? "stop" : "voice_listen", { name }));
    if (!this.$("form").hidden) fillChoices(this.$("form"));
  }
}
