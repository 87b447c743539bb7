// An emotion, as a control of the page has it, as the API takes it, and in words.
(() => {
  const { tts } = window;
  const CLIP = "clip:";
  const bare = (clip) => (clip.startsWith(CLIP) ? clip.slice(CLIP.length) : clip);
  const named = (name) => tts.data.strings[tts.lang()][`emotion_${name}`] ?? name;

  tts.feelings = {
    bare,
    // Of a control's value; undefined where it says nothing.
    told({ mode, weight, random, vector, clip, text } = {}) {
      if (mode === "vector" && vector.some(Boolean)) return { sliders: vector, weight, random };
      if (mode === "clip" && clip) return { clip: CLIP + clip, weight };
      return mode === "text" && text.trim() ? { text: text.trim(), weight } : undefined;
    },
    // The inverse; sound: the clip as a control has it, or null where it is gone.
    shown({ sliders, vector, clip, text, weight, random } = {}, sound = null) {
      const level = sliders ?? vector?.map((value) => Math.min(1, value));
      const mode = level ? "vector" : clip ? "clip" : text ? "text" : "same";
      return { mode, weight, random, vector: level, text, sound };
    },
    // For people: a preset's name, its eight values, its description; "" of none.
    words(emotion) {
      if (!emotion || typeof emotion === "string") return emotion ? named(emotion) : "";
      const { sliders, vector, clip, text, name } = emotion, values = sliders ?? vector;
      if (values) {
        const told = tts.data.emotions.map((one, i) => [named(one), values[i]]).filter(([, value]) => value > 0);
        return told.map(([one, value]) => `${one} ${Number(value.toFixed(2))}`).join(" + ");
      }
      return clip ? tts.t("emotion_as_clip") : text ? `“${text}”` : name ? named(name) : "";
    },
  };
})();
