// A kept sound's segments and their takes, as the API has them.
class Takes {
  static PAUSE_MS = 300;

  constructor(output) { this.path = `v1/audio/outputs/${encodeURIComponent(output)}`; }

  // Resolve to what the API tells of all segments, or of one; throw {key} or {message}.
  async list(tries = 1) {
    try { return await tts.api(`${this.path}/segments`); } catch (error) {
      if (tries < 2 || error.code !== "output_unfinished") throw error;
    }
    await new Promise((resolve) => { setTimeout(resolve, Takes.PAUSE_MS); }); // its request was stopped this moment
    return this.list(tries - 1);
  }
  choose(i, take) { return tts.api(`${this.path}/segments/${i}`, tts.json("PUT", { take })); }
  remove(i, take) { return tts.api(`${this.path}/segments/${i}/takes/${take}`, { method: "DELETE" }); }

  // Speak it, as it was asked for, or with the settings as they are now; throw null once signal is aborted.
  async again(i, fields, signal, headers = {}) {
    const asked = tts.json("POST", fields);
    try {
      return await tts.api(`${this.path}/segments/${i}/takes`, { ...asked, signal, headers: { ...asked.headers, ...headers } });
    } catch (error) { throw signal.aborted ? null : error; }
  }
  make(i, fields, signal, id) { return this.again(i, { ...Takes.settings(), ...fields }, signal, { "X-Request-Id": id }); }

  // All of them are said, so that none stays as in the take before; the seed is another matter.
  static settings() {
    const { seed, ...now } = tts.settings.now(), { can, parameters } = tts.data;
    const plain = Object.fromEntries(Object.entries(parameters).map(([name, spec]) => [name, spec.default]));
    return { ...plain, ...(can.emotion ? { emotion: "neutral" } : {}), ...now, language: now.language || "auto" };
  }

  // Its samples: of a wav with the header of 44 bytes that the API writes.
  async sound(i, take) {
    const answer = await fetch(tts.url(`${this.path}/segments/${i}/audio?take=${take}`), { cache: "no-store" }).catch(() => null);
    if (!answer?.ok) throw { key: answer ? "error_refused" : "error_away" };
    const bytes = new DataView(await answer.arrayBuffer());
    return floats(new DataView(bytes.buffer, 44, bytes.getUint32(40, true)));
  }
}
