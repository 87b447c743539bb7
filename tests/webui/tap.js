// Installed by the tests before the page's own scripts: notes what the page gives to the browser to play, and when.
window.tap = { played: [], lit: [] };
(() => {
  const { start, stop } = AudioBufferSourceNode.prototype;
  const base64 = (floats) => {
    const bytes = new Uint8Array(new Float32Array(floats).buffer);
    let text = "";
    for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
    return btoa(text);
  };
  AudioBufferSourceNode.prototype.start = function (when = 0, offset = 0) {
    this.note = {
      when, offset, rate: this.buffer.sampleRate, samples: base64(this.buffer.getChannelData(0)), stop: null,
      end: when + this.buffer.duration - offset, context: this.context,
      made: document.querySelectorAll(".segment.made").length, total: document.querySelectorAll(".segment").length,
      downloadable: document.querySelector(".download").hasAttribute("href"),
    };
    tap.played.push(this.note);
    return start.call(this, when, offset);
  };
  AudioBufferSourceNode.prototype.stop = function (when = 0) {
    if (this.note) this.note.stop = when;
    return stop.call(this, when);
  };
  tap.sounding = () => tap.played.some((n) => (n.stop === null ? n.end : Math.min(n.stop, n.end)) > n.context.currentTime);
  new MutationObserver(() => {
    const on = document.querySelector(".segment.on")?.textContent;
    if (on && tap.lit.at(-1) !== on) tap.lit.push(on);
  }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["class"] });
})();
