// Which part of a recording is used: its waveform between two handles, moved by pointer, keys or numbers, and heard.
const TRIM_HTML = `
  <div class="trim-wave"><canvas aria-hidden="true"></canvas>
    <i class="trim-out before" aria-hidden="true"></i><i class="trim-out after" aria-hidden="true"></i>
    <input type="range" class="trim-start" min="0" step="0.05" data-t-label="trim_start">
    <input type="range" class="trim-end" min="0" step="0.05" data-t-label="trim_end"></div>
  <div class="trim-row">
    <button type="button" class="pill trim-hear"><span class="trim-icon"></span><span data-t="trim_hear"></span></button>
    <label><span data-t="trim_from"></span><input type="number" class="trim-from" min="0" step="0.1" inputmode="decimal"></label>
    <label><span data-t="trim_to"></span><input type="number" class="trim-to" min="0" step="0.1" inputmode="decimal"></label>
    <span class="trim-part"></span>
  </div>
  <p class="hint trim-lost" data-t="trim_lost" hidden></p>`;

class Trim {
  static LONGEST = 15; // seconds that can be used
  static SHORTEST = 1;
  static REST_MS = 350; // after the last move, before it counts

  // root: an empty element; chosen(start, end): the part that is wanted from now on, in seconds
  constructor(root, chosen) {
    Object.assign(this, { root, chosen, sound: null, start: 0, end: 0 });
    root.classList.add("trim-box");
    root.innerHTML = TRIM_HTML;
    this.wave = new Waveform(this.$("canvas"), () => this.draw());
    for (const [range, number, edge] of [[".trim-start", ".trim-from", "start"], [".trim-end", ".trim-to", "end"]]) {
      this.$(range).addEventListener("input", ({ target }) => this.move(edge, Number(target.value)));
      this.$(range).addEventListener("change", () => this.settle());
      this.$(number).addEventListener("change", ({ target }) => { this.move(edge, Number(target.value)); this.settle(); });
    }
    this.$(".trim-hear").addEventListener("click", () => (this.source ? this.stop() : this.play()));
    tts.addEventListener("lang", () => this.show());
    this.show();
  }

  $(selector) { return this.root.querySelector(selector); }
  get total() { return this.sound?.duration ?? 0; }

  // bytes: of a sound file. Whether the browser could read it.
  async open(bytes, start, end) {
    this.close();
    try {
      this.sound = await new OfflineAudioContext(1, 1, 44100).decodeAudioData(bytes);
    } catch { return false; }
    this.wave.clear();
    this.wave.push(this.sound.getChannelData(0), this.sound.sampleRate);
    this.set(start ?? 0, end ?? Math.min(this.total, Trim.LONGEST));
    return true;
  }

  close() {
    this.stop();
    clearTimeout(this.timer);
    this.sound = null;
    this.wave.clear();
  }

  set(start, end) {
    Object.assign(this, { start, end: Math.min(end, this.total) });
    this.show();
  }

  // One edge goes to a time; the other makes room.
  move(edge, time) {
    const { total } = this, least = Math.min(Trim.SHORTEST, total);
    const within = (value, low, high) => Math.min(high, Math.max(low, Number.isFinite(value) ? value : low));
    if (edge === "start") {
      this.start = within(time, 0, total - least);
      this.end = within(this.end, this.start + least, Math.min(total, this.start + Trim.LONGEST));
    } else {
      this.end = within(time, least, total);
      this.start = within(this.start, Math.max(0, this.end - Trim.LONGEST), this.end - least);
    }
    this.stop();
    this.show();
  }

  settle() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.chosen(this.start, this.end), Trim.REST_MS);
  }

  play() {
    tts.quiet(() => this.stop());
    const context = (Trim.context ??= new AudioContext()), source = (this.source = context.createBufferSource());
    context.resume();
    source.buffer = this.sound;
    source.connect(context.destination);
    source.onended = () => { if (this.source === source) this.stop(); };
    source.start(0, this.start, this.end - this.start);
    this.began = context.currentTime;
    const follow = () => {
      if (this.source !== source) return;
      this.draw();
      requestAnimationFrame(follow);
    };
    follow();
    this.show();
  }

  stop() {
    const { source } = this;
    this.source = null;
    try { source?.stop(); } catch { /* it had not begun */ }
    if (source) this.show();
  }

  draw() {
    if (!this.sound) return;
    const at = this.source ? this.start + Trim.context.currentTime - this.began : 0;
    this.wave.draw(at, this.total, this.total);
  }

  show() {
    tts.label(this.root);
    const { start, end, total } = this, part = (time) => (total ? time / total : 0);
    for (const [selector, value] of [[".trim-start", start], [".trim-end", end]]) {
      const range = this.$(selector);
      range.max = total;
      range.value = value;
      range.setAttribute("aria-valuetext", tts.t("seconds", { n: value.toFixed(1) }));
    }
    for (const [selector, value] of [[".trim-from", start], [".trim-to", end]]) {
      const number = this.$(selector);
      number.max = total.toFixed(1);
      if (document.activeElement !== number || Number(number.value) !== value) number.value = value.toFixed(1);
    }
    this.$(".trim-start").style.zIndex = start > total / 2 ? 3 : 2; // of two at one place the one that can move
    this.root.style.setProperty("--from", part(start));
    this.root.style.setProperty("--rest", total ? 1 - part(end) : 0);
    this.$(".trim-part").textContent = tts.t("trim_part", { n: (end - start).toFixed(1), total: total.toFixed(1) });
    this.$(".trim-icon").innerHTML = this.source ? ICONS.stop : ICONS.play;
    this.$(".trim-hear").setAttribute("aria-pressed", Boolean(this.source));
    this.draw();
  }
}
