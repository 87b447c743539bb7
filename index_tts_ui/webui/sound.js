// One sound that grows while it plays: blocks of samples, scheduled back to back, kept for replay and seeking.
class Sound {
  static LEAD = 0.05; // seconds between the first block and its first sample heard
  static AHEAD = 10; // seconds scheduled in advance: timers of hidden tabs are slow
  static FADE = 0.015; // seconds: a sound cut off at once would click

  constructor() {
    this.context = null;
    this.timer = setInterval(() => this.#pump(), 200);
    this.clear();
  }

  // Browsers allow sound only from inside the click itself, long before the rate is known.
  unlock(rate = this.rate || 24000) {
    if (!this.context || this.context.sampleRate !== rate) {
      this.context?.close();
      this.context = new AudioContext({ sampleRate: rate });
      this.gain = null;
    }
    this.context.resume();
  }

  clear() {
    this.halt();
    this.blocks = [];
    this.length = 0; // samples
    this.at = 0; // seconds, while not playing
    this.complete = false;
  }

  get duration() { return this.rate ? this.length / this.rate : 0; }

  get position() {
    if (!this.playing) return this.at;
    const heard = this.context.currentTime - (this.context.outputLatency || 0) - this.zero;
    return Math.min(this.duration, Math.max(this.from, heard));
  }

  get ended() { return this.complete && this.position >= this.duration; }

  // Whether it came to the end of the stretch it was to play.
  get over() { return this.playing && this.position >= this.until; }

  get starved() { return this.playing && !this.complete && this.position >= this.duration; }

  push(samples, rate) {
    if (this.rate !== rate && !this.length) { this.rate = rate; this.unlock(rate); }
    this.blocks.push({ start: this.length, samples });
    this.length += samples.length;
    this.#pump();
  }

  // Other samples in place of all there was: blocks, at the same rate; it is silent then.
  refill(blocks) {
    const at = this.position;
    this.clear();
    this.complete = true;
    for (const samples of blocks) this.push(samples, this.rate);
    this.at = Math.min(at, this.duration);
  }

  // until: seconds into the sound, where a block begins
  play(from = this.at >= this.duration && this.complete ? 0 : this.at, until = Infinity) {
    this.halt();
    this.unlock();
    this.gain = new GainNode(this.context);
    this.gain.connect(this.context.destination);
    this.from = from;
    this.until = until;
    this.zero = null; // context time of position 0; set when there is something to schedule
    const first = from * (this.rate || 1);
    this.next = this.blocks.findIndex((b) => b.start + b.samples.length > first);
    if (this.next < 0) this.next = this.blocks.length;
    this.zero = this.context.currentTime + Sound.LEAD - from;
    this.playing = true;
    this.#pump();
  }

  pause() {
    const at = this.position;
    this.halt();
    this.at = at;
  }

  // Back to where it was last begun.
  rewind() {
    this.halt();
    this.at = this.from;
  }

  seek(seconds) {
    const at = Math.min(this.duration, Math.max(0, seconds));
    if (this.playing) this.play(at);
    else this.at = at;
  }

  halt() {
    if (this.playing) {
      const { gain } = this, now = this.context.currentTime;
      gain.gain.setTargetAtTime(0, now, Sound.FADE / 3);
      this.sources.forEach((source) => source.stop(now + Sound.FADE));
    }
    this.playing = false;
    this.sources = new Set();
  }

  #pump() {
    if (!this.playing) return;
    const horizon = this.context.currentTime + Sound.AHEAD;
    for (; this.next < this.blocks.length; this.next++) {
      const { start, samples } = this.blocks[this.next];
      if (this.zero + start / this.rate > horizon || start / this.rate >= this.until) return;
      this.#schedule(start, samples);
    }
  }

  #schedule(start, samples) {
    const begin = Math.max(start / this.rate, this.from); // seconds into the sound
    const now = this.context.currentTime;
    if (this.zero + begin < now + Sound.LEAD / 5) this.zero = now + Sound.LEAD - begin; // it came late
    const buffer = this.context.createBuffer(1, samples.length, this.rate);
    buffer.copyToChannel(samples, 0);
    const source = new AudioBufferSourceNode(this.context, { buffer });
    source.connect(this.gain);
    source.start(this.zero + begin, begin - start / this.rate);
    this.sources.add(source);
    source.onended = () => this.sources.delete(source);
  }
}
