// The sound as bars on a canvas: played, made, and still to come.
class Waveform {
  static PEAKS = 50; // per second
  static PITCH = 5; // CSS pixels from bar to bar

  constructor(canvas, redraw) {
    this.canvas = canvas;
    this.clear();
    const again = () => { this.stale = true; redraw(); };
    new ResizeObserver(again).observe(canvas);
    new MutationObserver(again).observe(document.body, { attributeFilter: ["class"] }); // light and dark
  }

  clear() {
    this.peaks = [];
    this.stale = true;
  }

  push(samples, rate) {
    const size = Math.round(rate / Waveform.PEAKS);
    for (let i = 0; i < samples.length; i += size) {
      let peak = 0;
      for (let j = i; j < Math.min(samples.length, i + size); j++) peak = Math.max(peak, Math.abs(samples[j]));
      this.peaks.push(peak);
    }
    this.stale = true;
  }

  // seconds: where the playback is, how much there is, how long the whole will be
  draw(position, made, total) {
    const { canvas } = this, { clientWidth, clientHeight } = canvas;
    const bars = Math.floor(clientWidth / Waveform.PITCH);
    const state = `${Math.ceil((position / total) * bars)} ${made} ${total}`;
    if (!clientWidth || (!this.stale && state === this.state)) return; // drawing costs; this is asked at every frame
    this.state = state;
    this.stale = false;
    const scale = window.devicePixelRatio || 1;
    canvas.width = clientWidth * scale;
    canvas.height = clientHeight * scale;
    const pen = canvas.getContext("2d"), style = getComputedStyle(canvas);
    const colour = (name) => style.getPropertyValue(name);
    const played = colour("--wave-played"), ahead = colour("--wave-made"), missing = colour("--wave-missing");
    pen.scale(scale, scale);
    for (let i = 0; i < bars; i++) {
      const time = (i / bars) * total, there = total > 0 && time < made;
      const height = there ? Math.max(3, this.#peak(time, total / bars) * clientHeight) : 3;
      pen.fillStyle = !there ? missing : time < position ? played : ahead;
      pen.beginPath();
      pen.roundRect(i * Waveform.PITCH, (clientHeight - height) / 2, 3, height, 1.5);
      pen.fill();
    }
  }

  #peak(time, width) {
    const first = Math.floor(time * Waveform.PEAKS), last = Math.ceil((time + width) * Waveform.PEAKS);
    let peak = 0;
    for (let i = first; i < Math.min(last, this.peaks.length); i++) peak = Math.max(peak, this.peaks[i]);
    return Math.min(1, Math.sqrt(peak) * 1.1); // loudness is heard nearer to the root
  }
}
