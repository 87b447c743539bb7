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
    throw body?.error?.message ? { message: body.error.message } : { key: "error_refused" };
  }
  const json = (method, body) => ({ method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const path = (id) => `${VOICES}/${encodeURIComponent(id)}`;

  function form(fields) {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    return { method: "POST", body };
  }

  async function changed(asked) {
    const answer = await asked;
    await library.refresh();
    return answer;
  }

  const library = {
    voices: [],
    find: (id) => library.voices.find((voice) => voice.id === id),
    clips: () => library.voices.filter((voice) => voice.kind === "clip"),
    async refresh() {
      library.voices = (await ask(VOICES)).voices;
      tts.emit("library");
    },
    async sendClip(file, name) { // {key: its sha256, seconds, notices: their codes}
      const { id, seconds, notices } = await ask(CLIPS, form({ file: new File([file], name) }));
      return { key: id.replace("clip:", ""), seconds, notices: notices.map(({ code }) => code) };
    },
    add: (fields) => changed(ask(VOICES, form(fields))), // clip: its key
    change: (id, fields) => changed(ask(path(id), json("PATCH", fields))),
    remove: (id) => changed(ask(path(id), { method: "DELETE" })),
    sound: (id) => tts.url(`${path(id)}/clip`),
    about(voice) { // its gender, language and length
      const words = tts.data.strings[tts.lang()];
      const parts = [words[voice.gender], voice.language && (words[voice.language] ?? words[`lang_${voice.language.slice(0, 2)}`])];
      if (voice.seconds) parts.push(tts.t("seconds", { n: Math.round(voice.seconds) }));
      return parts.filter(Boolean).join(" · ");
    },
    label(voice) {
      const own = tts.data.strings[tts.lang()][`voice:${voice.id}`]; // of a built-in one
      return own ?? [voice.name, library.about(voice)].filter(Boolean).join(" · ");
    },
    // What the voice picker is to show, as Gradio takes it.
    choices(value = tts.voice) {
      const known = library.find(value) ?? library.voices.find((voice) => voice.default) ?? library.voices[0];
      const choices = library.voices.map((voice) => [library.label(voice), voice.id]);
      return { __type__: "update", choices, value: known?.id ?? null };
    },
  };
  tts.library = library;
  // where the server does not answer, the list stays empty and the badge tells why
  library.ready = tts.data.can.clone ? library.refresh().catch(() => {}) : Promise.resolve();

  // Tabs are Gradio's; a clip that shall become a voice waits for its tab to be there.
  const openTab = (name) => document.querySelector(`#tabs [role=tab][data-tab-id="${name}"]`)?.click();
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
  tts.listen = (url) => {
    heard = heard === url ? "" : url;
    player.src = heard;
    if (heard) player.play().catch(() => { heard = ""; tts.emit("heard"); });
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
    sent: ([text, voice, ...others]) => [text, tts.data.can.clone ? null : voice, ...others.slice(0, -1), tts.tuning.said(true)],
  };
  tts.kept = (key) => { try { return JSON.parse(tts.store.read(key)) ?? {}; } catch { return {}; } };
  tts.keep = (key, value) => { tts.store.write(key, JSON.stringify(value)); tts.emit("tuning"); };
})();
