// Who speaks: a voice, an emotion and a speed for each name. Also the choices that a single line has.
class Choices {
  // [[id, label]] of all voices
  static voices() {
    const { library } = tts;
    return library.voices.map((voice) => [voice.id, library.label(voice)]);
  }

  static emotions() {
    const named = (key) => [key, tts.t(`emotion_${key}`)];
    return tts.data.can.emotion ? [["neutral", tts.t("script_plain")], ...Object.keys(tts.data.presets).map(named)] : [];
  }

  static languages() {
    const codes = tts.data.languages.length ? tts.data.languages : ["zh", "en"];
    return codes.map((code) => [code, tts.t(`lang_${code}`)]);
  }

  // value may be one that is not among them: a blend, a voice that is gone, an emotion in words
  static fill(select, empty, choices, value) {
    const wanted = value && typeof value === "object" ? JSON.stringify(value) : String(value ?? "");
    const options = choices.map(([id, label]) => new Option(label, id));
    if (empty !== null) options.unshift(new Option(empty, ""));
    if (wanted && !choices.some(([id]) => id === wanted)) options.push(Choices.other(value, wanted));
    select.replaceChildren(...options);
    select.value = wanted;
    if (select.selectedIndex < 0) select.selectedIndex = 0;
  }

  // People's own words, or a mixture that has no name.
  static other(value, wanted) {
    const label = typeof value === "object" ? tts.feelings.words(value) : tts.library.called(wanted);
    const option = new Option(label.length > 60 ? `${label.slice(0, 60)}…` : label, wanted);
    option.dataset.noi18n = "";
    return option;
  }

  // The inverse, for what may be an object.
  static value(select) {
    return select.value.startsWith("{") ? JSON.parse(select.value) : select.value;
  }
}

const CAST_HTML = `
  <div class="who"><i class="dot" aria-hidden="true"></i><b class="who-name" data-noi18n></b><span class="who-lines"></span>
    <button type="button" class="round unname" data-t-title="script_unname">✕</button></div>
  <div class="who-take"><select class="who-voice"></select><select class="who-emotion"></select>
    <button type="button" class="round feel" data-t-title="script_feeling">${FEELING_ICON}</button><input type="number" class="who-speed" min="0.25" max="4" step="0.05" placeholder="1×"></div>`;

class Cast {
  // changed(name, key): a voice, emotion or speed; unname(name): it is no name; feeling: see there, or null
  constructor(root, sheet, changed, unname, feeling) {
    Object.assign(this, { root, sheet, changed, feeling });
    this.list = root.querySelector(".cast-list");
    this.list.addEventListener("change", (event) => this.#take(event.target));
    this.list.addEventListener("click", (event) => {
      const { name } = event.target.closest("[data-name]")?.dataset ?? {};
      if (event.target.closest(".unname")) unname(name);
      if (event.target.closest(".feel")) this.#feel(name);
    });
  }

  static hue(order) { return Math.round((order * 137.5 + 200) % 360); }

  show() {
    const { sheet } = this, shown = sheet.names.slice(0, CAST_MOST), rest = sheet.names.length - shown.length;
    this.list.replaceChildren(...[sheet.narrator, ...shown].filter(Boolean).map((one, i) => this.#entry(one, i)));
    const more = this.root.querySelector(".cast-more");
    Object.assign(more, { hidden: !rest, textContent: rest ? tts.t("script_cast_more", { n: rest }) : "" });
    this.root.querySelector(".no-voices").hidden = tts.library.voices.length > 0;
  }

  #entry({ name, lines }, order) {
    const item = document.createElement("div"), { sheet } = this, take = sheet.cast.get(name) ?? {};
    const $ = (selector) => item.querySelector(selector);
    item.className = "cast-entry";
    item.dataset.name = name;
    item.innerHTML = CAST_HTML;
    const called = name || tts.t("script_narrator"), same = name ? tts.t("script_as_narrator") : null;
    tts.label(item);
    $(".dot").style.setProperty("--hue", name ? Cast.hue(order - 1) : "");
    $(".dot").classList.toggle("narrator", !name);
    $(".who-name").textContent = called;
    if (!name) delete $(".who-name").dataset.noi18n;
    $(".who-lines").textContent = lines ? tts.t("script_lines", { n: lines }) : "";
    $(".unname").hidden = !name || Boolean(sheet.job);
    $(".unname").setAttribute("aria-label", tts.t("script_unname_of", { name }));
    Choices.fill($(".who-voice"), same, Choices.voices(), take.voice);
    Choices.fill($(".who-emotion"), same, Choices.emotions(), take.emotion);
    $(".who-emotion").hidden = $(".feel").hidden = !this.feeling;
    $(".feel").setAttribute("aria-label", tts.t("script_feeling_of", { name: called }));
    $(".who-speed").value = take.speed && Number(take.speed) !== 1 ? take.speed : "";
    for (const key of ["voice", "emotion", "speed"]) $(`.who-${key}`).setAttribute("aria-label", tts.t(`script_${key}_of`, { name: called }));
    return item;
  }

  #feel(name) {
    const take = this.sheet.cast.get(name);
    this.feeling.open(name || tts.t("script_narrator"), take.emotion, (emotion) => {
      take.emotion = emotion;
      this.show();
      this.changed(name, "emotion");
      this.list.querySelector(`[data-name="${CSS.escape(name)}"] .feel`)?.focus();
    });
  }

  #take(control) {
    const { name } = control.closest("[data-name]").dataset, key = control.className.replace("who-", "");
    const take = this.sheet.cast.get(name);
    if (key === "speed") {
      const speed = Math.min(4, Math.max(0.25, Number(control.value) || 1));
      control.value = speed === 1 ? "" : speed;
      take.speed = speed === 1 ? undefined : speed;
    } else take[key] = Choices.value(control);
    this.changed(name, key);
  }
}
