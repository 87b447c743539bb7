// Voices and reference clips of an engine that can speak with any voice: the one place that asks the API for them.
(() => {
  const { tts } = window;
  const VOICES = "v1/audio/voices", CLIPS = "v1/audio/clips";

  // Resolves to the answer's JSON; throws {key} of a sentence of the page, or {message} of the server's own.
  async function ask(path, options = {}) {
    const headers = { ...options.headers, "Accept-Language": tts.lang() };
    let answer;
    try {
      answer = await fetch(tts.url(path), { cache: "no-store", ...options, headers });
    } catch { throw { key: "error_away" }; }
    const body = await answer.json().catch(() => null);
    if (answer.ok) return body;
    throw body?.error?.message ? { message: body.error.message, code: body.error.code } : { key: "error_refused" };
  }
  const json = (method, body) => ({ method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  tts.api = ask;
  tts.json = json;
  const path = (id) => `${VOICES}/${encodeURIComponent(id)}`;

  function form(fields) {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) if (value !== undefined) body.append(name, value);
    return { method: "POST", body };
  }

  async function changed(asked) {
    const answer = await asked;
    await library.refresh();
    return answer;
  }

  // Of a blend, or of one voice: [{id, share}], which sum to 1.
  function parts(voice) {
    const found = voice.split("+").map((part) => /^(.*?)(?::([\d.]+))?$/.exec(part)).map(([, id, weight = "1"]) => ({ id, share: Number(weight) || 0 }));
    const whole = found.reduce((sum, { share }) => sum + share, 0) || 1;
    return found.map(({ id, share }) => ({ id, share: share / whole }));
  }

  function spoken(id) {
    const voice = library.find(id);
    return voice ? library.name(voice) : tts.data.strings[tts.lang()][`voice:${id}`]?.split(" · ")[0] ?? id;
  }

  const library = {
    voices: [],
    bin: [],
    keepsPrivate: false, // whether what this visitor adds is theirs alone at first
    find: (id) => library.voices.find((voice) => voice.id === id),
    known: (voice) => Boolean(voice) && (library.find(voice) ? true : parts(voice).every(({ id }) => `voice:${id}` in tts.data.strings.en || library.find(id))),
    clips: () => library.voices.filter((voice) => voice.kind === "clip"),
    async refresh() {
      const { voices, private: own } = await ask(VOICES);
      Object.assign(library, { voices, keepsPrivate: own });
      tts.emit("library");
    },
    async emptied() { // what can be restored
      library.bin = (await ask(`${VOICES}/bin`)).voices;
    },
    async sendClip(fields) { // file or clip, start, end; {key: its sha256, seconds, start, notices: their codes}
      const { id, seconds, start, notices } = await ask(CLIPS, form(fields));
      return { key: id.replace("clip:", ""), seconds, start, notices: notices.map(({ code }) => code) };
    },
    add: (fields) => changed(ask(VOICES, form(fields))), // clip: its key; or blend
    restore: (id) => changed(ask(`${path(id)}/restore`, { method: "POST" })),
    take: (file) => changed(ask(`${VOICES}/import`, form({ file }))),
    archive: (id) => tts.url(`${VOICES}/export${id ? `?voice=${encodeURIComponent(id)}` : ""}`),
    async say(voice, input) { // the address of its sound, for now
      const body = { model: tts.data.engine, voice, input, response_format: "wav" };
      const asked = json("POST", body);
      asked.headers["Accept-Language"] = tts.lang();
      const answer = await fetch(tts.url("v1/audio/speech"), asked).catch(() => { throw { key: "error_away" }; });
      if (answer.ok) return URL.createObjectURL(await answer.blob());
      const message = (await answer.json().catch(() => null))?.error?.message;
      throw message ? { message } : { key: "error_refused" };
    },
    change: (id, fields) => changed(ask(path(id), json("PATCH", fields))),
    remove: (id) => changed(ask(path(id), { method: "DELETE" })),
    sound: (id) => tts.url(`${path(id)}/clip`),
    sample(id) { // a sentence of a built-in voice or a blend (which browsers remember), or the clip
      const blend = library.find(id)?.blend;
      return tts.url(`${path(id)}/sample${blend ? `?of=${encodeURIComponent(blend)}` : ""}`);
    },
    about(voice) { // its gender, language and length
      const words = tts.data.strings[tts.lang()];
      const parts = [words[voice.gender], voice.language && (words[voice.language] ?? words[`lang_${voice.language.slice(0, 2)}`])];
      if (voice.seconds) parts.push(tts.t("seconds", { n: Math.round(voice.seconds) }));
      if (voice.blend) parts.push(library.parts(voice.blend).map(({ name, share }) => `${name} ${share} %`).join(" + "));
      return parts.filter(Boolean).join(" · ");
    },
    name: (voice) => (tts.lang() === "zh-CN" ? voice.name_zh : voice.name),
    // How people call what a request names as its voice: one, "a:0.7+b:0.3", or "clip:..."
    called(voice) {
      if (voice.startsWith("clip:")) return tts.t("clip_of_own");
      if (library.find(voice)) return library.name(library.find(voice));
      return parts(voice).map(({ id }) => spoken(id)).join(" + ");
    },
    parts: (blend) => parts(blend).map(({ id, share }) => ({ id, name: spoken(id), share: Math.round(100 * share) })),
    // The first voice, maybe a blend itself, with share percent of a second one.
    mixed(first, second, share) {
      if (!second || second === first) return first;
      const found = new Map(parts(first).map((part) => [part.id, part.share * (1 - share / 100)]));
      found.set(second, (found.get(second) ?? 0) + share / 100);
      return [...found].map(([id, weight]) => `${id}:${weight.toFixed(2)}`).join("+");
    },
    label(voice) {
      const own = tts.data.strings[tts.lang()][`voice:${voice.id}`]; // of a built-in one
      return own ?? [voice.name, library.about(voice)].filter(Boolean).join(" · ");
    },
    // What the voice picker is to show, as Gradio takes it.
    choices(value = tts.voice) {
      const choices = library.voices.map((voice) => [library.label(voice), voice.id]);
      if (!library.find(value) && value?.includes("+") && library.known(value)) { // a blend that was taken back
        choices.unshift([library.parts(value).map(({ name, share }) => `${name} ${share} %`).join(" + "), value]);
        return { __type__: "update", choices, value };
      }
      const known = library.find(value) ?? library.voices.find((voice) => voice.default) ?? library.voices[0];
      return { __type__: "update", choices, value: known?.id ?? null };
    },
    // The same for a second one.
    seconds() {
      const named = library.voices.filter(({ kind }) => kind === "builtin").map((voice) => [library.label(voice), voice.id]);
      return { __type__: "update", choices: [[tts.t("second_none"), ""], ...named], value: tts.settings.values?.[1] ?? "" };
    },
  };
  tts.library = library;
  // where the server does not answer, the list stays empty and the badge tells why
  library.ready = library.refresh().catch(() => {});

  // Tabs are Gradio's; a clip that shall become a voice waits for its tab to be there.
  // On a phone some stand in a menu, known by their words alone.
  const openTab = (name) => {
    const folded = [...document.querySelectorAll("#tabs .overflow-dropdown button")];
    const shown = document.querySelector(`#tabs [role=tab][data-tab-id="${name}"]`);
    (shown ?? folded.find((e) => e.textContent.trim() === tts.t(`tab_${name}`)))?.click();
  };
  tts.openTab = openTab;
  tts.addEventListener("use", () => openTab("speak"));
  tts.addEventListener("adopt", (event) => {
    tts.adopted = event.detail;
    openTab("voices");
    tts.emit("adopted", event.detail);
  });

  // sample voices come a while after the first start
  tts.addEventListener("status", ({ detail }) => {
    if (tts.data.can.clone && detail.state === "ready" && !library.voices.length) library.refresh().catch(() => {});
  });

  // One sound at a time: hearing a clip again stops it.
  const player = new Audio();
  let heard = "";
  let hush = () => {};
  tts.quiet = (next = () => {}) => { // something else sounds now; next: how to end it
    hush();
    hush = next;
    if (heard) tts.listen(heard);
  };
  tts.listen = (url) => {
    if (!heard) tts.quiet();
    heard = heard === url ? "" : url;
    player.src = heard;
    if (heard) player.play().catch((error) => { // an AbortError: another one was asked for meanwhile
      if (error.name === "AbortError") return;
      heard = "";
      tts.emit("heard", { failed: true });
    });
    tts.emit("heard");
  };
  tts.hearing = (url) => heard === url;
  player.addEventListener("ended", () => { heard = ""; tts.emit("heard"); });

  // What Speak sends besides text, voice and speed: each part of the page adds its own. A part that is
  // asked with true is for a request: the seed of chance is drawn.
  tts.tuning = {
    parts: {},
    said: (drawn = false) => Object.assign({}, ...Object.values(tts.tuning.parts).map((part) => part(drawn))),
    // What Gradio sends: text, voice, ..., and last what was said. It refuses a voice that came after the
    // server's start; then the last one tells it.
    sent([text, voice, second, share, speed]) {
      const said = tts.tuning.said(true), known = !tts.data.can.clone && `voice:${voice}` in tts.data.strings.en;
      if (known) return [text, voice, second, share, speed, said];
      return [text, null, "", share, speed, tts.data.can.clone ? said : { ...said, voice: library.mixed(voice ?? "", second, share) }];
    },
  };
  tts.kept = (key) => { try { return JSON.parse(tts.store.read(key)) ?? {}; } catch { return {}; } };
  tts.keep = (key, value) => { tts.store.write(key, JSON.stringify(value)); tts.emit("tuning"); };
})();
