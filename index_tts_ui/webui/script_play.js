// Plays lines of a job: one, or one after another; the next is fetched while one sounds.
const LINE_GAP_MS = 350;

class LinePlayer {
  // url(index): where a line's sound is, or null while there is none; next(index): the line behind it that
  // will have some, or -1; shown(index): it plays now, -1: none
  constructor(url, next, shown, failed) {
    Object.assign(this, { url, next, shown, failed, current: -1, onward: false, turn: 0, ahead: null });
    this.sound = new Audio(); // the same one for all: browsers allow sound to what was started by a click
    this.sound.addEventListener("ended", () => this.#ended());
  }

  get waiting() { return this.current >= 0 && this.sound.paused; }

  play(index, onward) {
    this.stop();
    this.onward = onward;
    this.sound.play().catch(() => {}); // within the click, whatever comes later
    this.#begin(index, this.turn);
  }

  stop() {
    this.turn += 1;
    this.sound.pause();
    this.#show(-1);
  }

  // Something more can be played.
  poke() {
    if (this.wanted !== undefined) this.#begin(this.wanted, this.turn);
  }

  async #begin(index, turn) {
    this.wanted = undefined;
    this.#show(index);
    const url = this.url(index);
    if (!url) { this.wanted = index; return; } // it is being made
    try {
      const blob = await this.#fetched(url);
      if (turn !== this.turn) return;
      if (this.held) URL.revokeObjectURL(this.held);
      this.held = URL.createObjectURL(blob);
      this.sound.src = this.held;
      await this.sound.play();
    } catch (error) {
      if (turn !== this.turn || error.name === "AbortError") return;
      this.stop();
      return this.failed(index);
    }
    const next = this.onward ? this.next(index) : -1, ahead = next >= 0 && this.url(next);
    this.ahead = ahead ? { url: ahead, blob: fetchSound(ahead).catch(() => null) } : null;
  }

  async #fetched(url) {
    const { ahead } = this;
    return (ahead?.url === url && (await ahead.blob)) || fetchSound(url);
  }

  #ended() {
    const next = this.onward ? this.next(this.current) : -1, { turn } = this;
    if (next < 0) return this.stop();
    setTimeout(() => { if (turn === this.turn) this.#begin(next, turn); }, LINE_GAP_MS);
  }

  #show(index) {
    this.current = index;
    this.wanted = undefined;
    this.shown(index);
  }
}

async function fetchSound(url) {
  const answer = await fetch(url, { cache: "no-store" });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  return answer.blob();
}
