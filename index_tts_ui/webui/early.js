// Runs before Gradio's own bundle: fixes the language that the bundle will read, and keeps what every
// script of the page shares in one place, window.tts (an EventTarget: "lang", "status", "voice", "typed", "preview", "refused",
// "library": the voices, "tuning": what else Speak sends, "settings": voice and speed, "apply": others are given
// from outside, "heard": a clip begins or ends).
(() => {
  const tts = Object.assign(new EventTarget(), { data: TTS_DATA });
  window.tts = tts;
  const read = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  const write = (key, value) => { try { localStorage.setItem(key, value); } catch { /* storage is off */ } };

  // Gradio knows "zh-CN", not "zh" or "zh-Hans-CN"; any other language would give a mixed page.
  let lang = /^zh/i.test(read("tts.lang") || navigator.language) ? "zh-CN" : "en";
  const secure = location.protocol === "https:" ? ";Secure" : "";
  const remember = () => { document.cookie = `lang=${lang};path=/;max-age=31536000;SameSite=Lax${secure}`; };
  Object.defineProperty(navigator, "language", { get: () => lang, configurable: true });
  document.documentElement.lang = lang;
  remember();

  tts.store = { read, write };
  // What each tab has of its own; a new tab begins with what the last one left.
  tts.own = {
    read(key) { try { return sessionStorage.getItem(key) ?? read(key); } catch { return read(key); } },
    write(key, value) { try { sessionStorage.setItem(key, value); } catch { /* storage is off */ } write(key, value); },
  };
  tts.url = (path) => new URL(path, document.baseURI).href;
  tts.emit = (type, detail) => tts.dispatchEvent(new CustomEvent(type, { detail }));
  tts.lang = () => lang;

  // The sentence of a key; {name} is filled from values; with n = 1 a key + "_one" goes first.
  tts.t = (key, values = {}) => {
    const table = tts.data.strings[lang];
    const sentence = (values.n === 1 && table[key + "_one"]) || table[key];
    return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  };
  tts.clock = (seconds) => {
    const whole = Math.max(0, Math.floor(seconds));
    return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  };
  tts.duration = (seconds) => {
    const whole = Math.max(1, Math.round(seconds));
    return whole < 60 ? tts.t("seconds", { n: whole }) : tts.t("minutes", { n: Math.round(whole / 60) });
  };

  // Fills the fixed words of a block: data-t for text, data-t-label / data-t-title / data-t-hint for attributes.
  tts.label = (root) => {
    root.querySelectorAll("[data-t]").forEach((e) => { e.textContent = tts.t(e.dataset.t); });
    root.querySelectorAll("[data-t-label]").forEach((e) => e.setAttribute("aria-label", tts.t(e.dataset.tLabel)));
    root.querySelectorAll("[data-t-hint]").forEach((e) => { e.placeholder = tts.t(e.dataset.tHint); });
    root.querySelectorAll("[data-t-title]").forEach((e) => { e.title = tts.t(e.dataset.tTitle); });
  };

  // A part of the page that another component brings, maybe later than the script that asks.
  tts.present = (selector) => new Promise((resolve) => {
    const look = () => {
      const found = document.querySelector(selector);
      if (found) resolve(found);
      else setTimeout(look, 50);
    };
    look();
  });

  // Voice, second voice, its share, speed: kept by the browser; a voice that is gone falls back to the first.
  const SETTINGS = "tts.settings";
  tts.settings = {
    store(values) { write(SETTINGS, JSON.stringify(tts.settings.values = values)); },
    keep(values) {
      tts.settings.store(values);
      tts.settings.show(values[1]);
      tts.emit("voice", tts.voice = values[0] ?? "");
      tts.emit("settings");
    },
    show(second) { document.body.dataset.blend = second ? "on" : "off"; }, // its share, only where there is one
    async saved() {
      await tts.library.ready;
      let kept = [];
      try { kept = JSON.parse(read(SETTINGS)) ?? []; } catch { /* not ours */ }
      const known = (id) => typeof id === "string" && tts.library.known(id);
      const within = (value, low, high, other) => (value >= low && value <= high ? value : other);
      const first = tts.data.can.clone ? undefined : tts.data.voices[lang];
      const wanted = known(kept[0]) ? kept[0] : first;
      const choices = tts.data.can.clone || tts.library.voices.length ? tts.library.choices(wanted) : null;
      const voice = choices ? choices.value ?? "" : wanted;
      tts.emit("voice", tts.voice = voice);
      const second = known(kept[1]) ? kept[1] : "";
      tts.settings.show(second);
      const numbers = [within(kept[2], 5, 95, 50), within(kept[3], 0.5, 2, 1)];
      tts.settings.values = [voice, second, ...numbers];
      tts.emit("settings");
      return [choices ?? voice, second, ...numbers];
    },
  };

  tts.setLang = async (wanted) => {
    lang = wanted;
    write("tts.lang", lang);
    remember();
    try { // Gradio has no public call for this; a reload does the same, and the draft survives it
      const core = performance.getEntriesByType("resource").map((e) => e.name).find((n) => /\/assets\/core-/.test(n));
      (await import(core)).changeLocale(lang);
      document.documentElement.lang = lang;
      tts.emit("lang", lang);
    } catch { location.reload(); }
  };
})();
