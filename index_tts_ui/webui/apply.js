// The settings as one object, in the fields of /v1/audio/speech: what they are now, and how they are set from
// outside. Presets and the history go through these two; nobody else sets the page's controls.
{
  const { settings, library, feelings } = window.tts;
  const { bare } = feelings;
  const CLIP = "clip:", BLEND = /^([^:+]+):([\d.]+)\+([^:+]+):[\d.]+$/; // of two, as the controls can say it

  settings.now = () => {
    const [first, second, share, speed] = settings.values, said = tts.tuning.said();
    const one = said.voice ?? first ?? "", blend = said.reference === undefined;
    const voice = said.reference ? CLIP + said.reference : blend ? library.mixed(one, second, share) : one;
    const now = { voice, speed, language: said.language ?? "", ...said.params };
    const emotion = feelings.told(said.emotion), seed = said.seed ?? "";
    if (emotion) now.emotion = emotion;
    if (seed !== "" && tts.data.can.seed) now.seed = Number(seed);
    return now;
  };

  // Two that sound the same are the same string.
  settings.print = ({ voice = "", speed = 1, language = "", seed = null, emotion, ...others }) => {
    const { sliders, vector, clip, text, weight = 1, random = false } = emotion ?? {};
    const felt = emotion ? [sliders ?? vector ?? null, clip ? bare(clip) : null, text ?? null, weight, Boolean(random)] : null;
    const set = Object.entries(tts.data.parameters).filter(([name, spec]) => name in others && others[name] !== spec.default);
    return JSON.stringify([voice, speed, language, tts.data.can.seed ? seed : null, felt, set.map(([name]) => [name, others[name]]).sort()]);
  };

  const there = async (key) => {
    const asked = new AbortController();
    try {
      const { ok } = await fetch(library.sound(key), { signal: asked.signal });
      asked.abort(); // its length does not matter
      return ok;
    } catch { return false; }
  };
  const clipOf = async (name) => ((await there(bare(name))) ? { key: bare(name), name: "" } : null);

  // Resolves to what could not be had: "voice", "clip", "emotion".
  settings.apply = async ({ voice = "", speed = 1, language = "", seed, emotion, ...others }) => {
    const lacks = [], { can, parameters } = tts.data;
    const own = voice.startsWith(CLIP), [, first = voice, share = 0.5, second = ""] = own ? [] : BLEND.exec(voice) ?? [];
    const sound = own && can.clone ? await clipOf(voice) : null;
    const felt = emotion?.clip && can.emotion ? await clipOf(emotion.clip) : null;
    if (own ? !sound : first && !(library.known(first) && (!second || library.known(second)))) lacks.push(own ? "clip" : "voice");
    else if (emotion && !(emotion.text ? can.emotion_text : can.emotion)) lacks.push("emotion");
    else if (emotion?.clip && !felt) lacks.push("clip");
    const params = Object.fromEntries(Object.entries(others).filter(([name]) => name in parameters));
    tts.emit("apply", {
      reference: { source: own ? "clip" : "library", sound },
      emotion: feelings.shown(emotion ?? undefined, felt),
      parameters: { language, seed: can.seed ? seed : "", params },
    });
    const kept = own || !library.known(first) ? settings.values.slice(0, 3) : [first, second, Math.round(100 - 100 * share)];
    settings.store([...kept, speed]);
    trigger("taken", {});
    return lacks;
  };
}
