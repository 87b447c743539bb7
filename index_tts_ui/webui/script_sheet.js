// The script at hand: its rows, its cast, and the job that speaks it, if there is one. The browser keeps it.
const FIT = 1.6, DRAFT = "tts.script", DRAFT_MOST = 2_000_000, DRAFT_MS = 600; // characters; milliseconds
const TAKE = ["voice", "emotion", "speed", "language", "seed"]; // what a row may say of its own
const TITLE_MOST = 40; // characters
const CAST_MOST = 60; // names that are shown; those with fewer lines speak as the narrator
const HAN = /[\u3400-\u9fff]/;

class Sheet {
  constructor() {
    this.clear();
    this.draft = { large: false, timer: 0 };
  }

  clear() {
    Object.assign(this, { rows: [], cast: new Map([["", {}]]), title: "", gap: "", fit: true, job: null, source: this.source ?? "" });
    this.names = [];
  }

  // What was read: lines as the server tells them.
  read(lines, title = "") {
    const { cast, source, gap, fit } = this;
    this.clear();
    Object.assign(this, { source, gap, fit, title });
    this.rows = lines.map(({ problems = [], ...line }) => ({ ...line, problems }));
    this.recount();
    for (const { name } of this.names) this.cast.set(name, cast.get(name) ?? {});
    this.cast.set("", cast.get("") ?? {});
  }

  // What a job says of itself: pages of its lines.
  open(job, pages) {
    this.clear();
    const told = ({ voice, emotion, speed, language, seed }) => ({ voice, emotion, speed, language, seed });
    Object.assign(this, { title: job.title, job, fit: pages[0].fit !== null });
    this.rows = pages.flatMap((page) => page.data).map((line) => {
      const row = { ...told(line), text: line.text, speaker: line.speaker, name: line.name, start: line.start, end: line.end, problems: [] };
      this.tell(row, line);
      return row;
    });
    this.recount();
    for (const [name, take] of Object.entries(pages[0].cast)) this.cast.set(name, told(take));
    this.cast.set("", { ...told(pages[0].settings), seed: undefined });
  }

  // What became of a row, of a line's entry.
  tell(row, { segments, fit, over }) {
    row.parts = new Map(segments.map((segment) => [segment.segment, segment]));
    Object.assign(row, { fitted: fit, over });
  }

  // The names, most lines first, and what the head says.
  recount() {
    const counts = new Map();
    let characters = 0;
    for (const { speaker = "", text } of this.rows) {
      const count = counts.get(speaker) ?? { name: speaker, lines: 0, han: 0 };
      count.lines += 1;
      count.han += HAN.test(text) ? 1 : 0;
      counts.set(speaker, count);
      characters += text.length;
    }
    const narrator = counts.get("") ?? { name: "", lines: 0, han: 0 };
    counts.delete("");
    this.names = [...counts.values()].sort((a, b) => b.lines - a.lines);
    this.narrator = narrator;
    this.characters = characters;
    for (const { name } of this.names) if (!this.cast.has(name)) this.cast.set(name, {});
  }

  order(name) { return this.names.findIndex((one) => one.name === name); }

  // Each name without a voice gets the voice of that name, or one of its language that nobody has yet; women's
  // and men's by turns, so that speakers are told apart.
  castVoices(voices) {
    if (!voices.length) return;
    const taken = new Set([...this.cast.values()].map(({ voice }) => voice));
    const narrator = this.cast.get("");
    if (!narrator.voice) {
      const wanted = tts.voice && voices.find(({ id }) => id === tts.voice);
      narrator.voice = (wanted ?? voices.find(({ id }) => id === tts.data.voices[tts.lang()]) ?? voices[0]).id;
    }
    taken.add(narrator.voice);
    const names = new Set(this.names.map(({ name }) => name.toLowerCase()));
    const named = new Set(voices.filter(({ name }) => names.has(name.toLowerCase())).map(({ id }) => id));
    const count = { female: 0, male: 0, "": Infinity }, genderOf = (id) => voices.find((voice) => voice.id === id)?.gender ?? "";
    for (const { name, lines, han } of this.names.slice(0, CAST_MOST)) {
      const take = this.cast.get(name), tongue = han * 2 > lines ? "zh" : "en";
      if (take.voice !== undefined) {
        count[genderOf(take.voice)] += 1;
        continue;
      }
      const own = voices.find((voice) => [voice.name, voice.name_zh].some((one) => one.toLowerCase() === name.toLowerCase()));
      const free = voices.filter(({ id, language }) => !taken.has(id) && !named.has(id) && (!language || language.startsWith(tongue)));
      const rarest = [...free].sort((a, b) => count[a.gender] - count[b.gender] || 0);
      take.voice = (own ?? rarest[0])?.id ?? "";
      count[genderOf(take.voice)] += 1;
      taken.add(take.voice);
    }
  }

  // How a row is spoken in the end.
  take(row) {
    const own = (key) => row[key] || this.cast.get(row.speaker ?? "")?.[key] || this.cast.get("")[key];
    return { voice: own("voice"), emotion: own("emotion"), speed: Number(own("speed")) || 1, language: row.language || this.cast.get(row.speaker ?? "")?.language || "" };
  }

  line(row) {
    const found = { text: row.text };
    for (const key of ["speaker", "name", "start", "end", ...TAKE]) if (row[key] !== undefined && row[key] !== null && row[key] !== "") found[key] = row[key];
    return found;
  }

  // A title, where nobody gave it one.
  get called() { return this.rows[0]?.text.slice(0, TITLE_MOST) ?? ""; }

  get slots() { return this.rows.some((row) => row.end); }

  get body() {
    const said = (take) => Object.fromEntries(["voice", "emotion", "speed", "language"].filter((key) => take[key]).map((key) => [key, take[key]]));
    const cast = Object.fromEntries(this.names.slice(0, CAST_MOST).map(({ name }) => [name, said(this.cast.get(name))]));
    const body = { ...said(this.cast.get("")), title: this.title || this.called, cast, lines: this.rows.map((row) => this.line(row)) };
    if (this.gap !== "" && this.gap !== undefined) body.gap_ms = Number(this.gap);
    if (this.fit && this.slots) body.fit = FIT;
    return body;
  }

  // ---- a row's state

  state(row) {
    if (row.changed) return "changed";
    if (!row.parts?.size) return this.job ? "waiting" : "";
    let settled = true;
    for (const { state } of row.parts.values()) {
      if (state === "failed") return "failed";
      if (state === "pending") settled = false;
    }
    return settled ? "done" : "making";
  }

  // How many rows there are of each state; "bad": those with problems.
  get tally() {
    const counts = { done: 0, failed: 0, changed: 0, bad: 0 };
    for (const row of this.rows) {
      counts[this.state(row)] += 1;
      if (row.problems.length) counts.bad += 1;
    }
    return counts;
  }

  seconds(row) { return row.parts ? [...row.parts.values()].reduce((sum, { seconds }) => sum + seconds, 0) : 0; }

  sounds(row) { return Boolean(row.parts?.size) && ["done", "changed"].includes(this.state(row)) && this.seconds(row) > 0; }

  // Rows with other words or settings than those that were spoken.
  changes() { return this.rows.filter((row) => row.changed); }

  mark(name, key) {
    if (!this.job) return;
    for (const row of this.rows) {
      const spoken = (row.speaker ?? "") === name || (name === "" && !this.cast.get(row.speaker)?.[key]);
      if (spoken && !row[key]) row.changed = true;
    }
  }

  // ---- what the browser keeps

  keep() {
    clearTimeout(this.draft.timer);
    this.draft.timer = setTimeout(() => this.save(), DRAFT_MS);
  }

  // Now, where something waits to be kept.
  flush() { if (this.draft.timer) this.save(); }

  save() {
    clearTimeout(this.draft.timer);
    this.draft.timer = 0;
    const { rows, cast, title, gap, fit, job, source } = this;
    const bare = rows.map(({ parts, problems, fitted, over, ...row }) => (problems?.length ? { ...row, problems } : row));
    const text = JSON.stringify({ rows: job ? [] : bare, changed: job ? rows.flatMap((row, i) => (row.changed ? [[i, this.line(row)]] : [])) : [], cast: [...cast], title, gap, fit, job: job?.id ?? null, source: rows.length ? "" : source });
    const fits = text.length <= DRAFT_MOST;
    tts.store.write(DRAFT, fits ? text : "");
    this.draft.large = !fits || tts.store.read(DRAFT) !== text;
    tts.emit("draft", this.draft);
  }

  // The id of the job to open, or null.
  restore() {
    const kept = tts.kept(DRAFT);
    this.source = kept.source ?? "";
    if (kept.job || !kept.rows?.length) return kept.job ?? null;
    Object.assign(this, { title: kept.title ?? "", gap: kept.gap ?? "", fit: kept.fit ?? true });
    this.rows = kept.rows.map((row) => ({ problems: [], ...row }));
    this.cast = new Map(kept.cast ?? []);
    if (!this.cast.has("")) this.cast.set("", {});
    this.recount();
    return null;
  }

  // Changes that were not made again yet, when its job is opened anew.
  restoreChanges() {
    const { job, changed, cast } = tts.kept(DRAFT);
    if (!job || job !== this.job?.id) return;
    for (const [index, line] of changed ?? []) {
      const row = this.rows[index];
      if (!row) continue;
      for (const key of ["speaker", "text", ...TAKE]) row[key] = line[key];
      row.changed = true;
    }
    if (changed?.length) this.cast = new Map(cast);
    this.recount();
  }
}
