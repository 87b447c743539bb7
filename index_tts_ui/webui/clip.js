// A reference clip: from a file, dropped, or recorded; sent at once, then heard, trimmed, taken away, or put into the library.
const ICONS = {
  play: '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M8 5.2v13.6a.8.8 0 0 0 1.2.7l10.8-6.8a.8.8 0 0 0 0-1.4L9.2 4.5A.8.8 0 0 0 8 5.2z"/></svg>',
  stop: '<svg viewBox="0 0 24 24" aria-hidden="true"><rect x="6.5" y="6.5" width="11" height="11" rx="2"/></svg>',
  file: '<svg class="line" viewBox="0 0 24 24" aria-hidden="true"><path d="M12 16V5m0 0L7.5 9.5M12 5l4.5 4.5M5 19.5h14"/></svg>',
  mic: '<svg class="line" viewBox="0 0 24 24" aria-hidden="true"><rect x="9" y="3.5" width="6" height="11" rx="3"/><path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3"/></svg>',
  cut: '<svg class="line" viewBox="0 0 24 24" aria-hidden="true"><circle cx="6" cy="6.5" r="2.5"/><circle cx="6" cy="17.5" r="2.5"/><path d="M8.2 7.8L20 15.5M8.2 16.2L20 8.5"/></svg>',
  close: '<svg class="line" viewBox="0 0 24 24" aria-hidden="true"><path d="M6 6l12 12M18 6L6 18"/></svg>',
};
const CLIP_HTML = `
  <div class="clip-empty">
    <div class="chips">
      <label class="pill">${ICONS.file}<span data-t="clip_upload"></span><input type="file" class="unseen" accept="audio/*,video/webm,.wav,.mp3,.flac,.m4a,.ogg,.opus,.webm"></label>
      <button type="button" class="pill record">${ICONS.mic}<span data-t="clip_record"></span></button>
    </div>
    <p class="hint" data-t="clip_hint"></p>
    <p class="hint no-microphone" data-t="clip_insecure" hidden></p>
  </div>
  <div class="clip-recording"><span class="pulse" aria-hidden="true"></span><span class="clock" role="timer"></span>
    <button type="button" class="pill finish">${ICONS.stop}<span data-t="clip_finish"></span></button></div>
  <p class="clip-sending hint" role="status" data-t="clip_sending"></p>
  <div class="clip-ready">
    <button type="button" class="round listen" data-t-label="clip_listen"></button>
    <span class="clip-name" data-noi18n></span><span class="clip-length"></span>
    <button type="button" class="round cut" aria-expanded="false" data-t-label="trim" data-t-title="trim">${ICONS.cut}</button>
    <button type="button" class="round remove" data-t-label="clip_remove">${ICONS.close}</button>
    <div class="clip-trim" hidden></div>
    <ul class="clip-notices" aria-live="polite"></ul>
  </div>
  <p class="clip-error" role="alert" hidden></p>`;

class Clip {
  static SECONDS = 15; // no more of it is used

  // root: an empty element; changed(): after each change of .value, which is {key, name, seconds, notices} or null;
  // trims: whether a new clip is shown to be trimmed at once
  constructor(root, changed = () => {}, trims = false) {
    Object.assign(this, { root, changed, trims, value: null, error: null, settled: Promise.resolve() });
    root.classList.add("clip");
    root.innerHTML = CLIP_HTML;
    this.input = this.$("input");
    this.input.addEventListener("change", () => { this.send(this.input.files[0]); this.input.value = ""; });
    this.$(".finish").addEventListener("click", () => this.recorder?.stop());
    this.$(".record").addEventListener("click", () => this.record());
    this.$(".listen").addEventListener("click", () => tts.listen(tts.library.sound(this.value.key)));
    this.$(".cut").addEventListener("click", () => this.openTrim(this.$(".clip-trim").hidden));
    this.$(".remove").addEventListener("click", () => { this.set(null); this.changed(); this.input.focus(); });
    root.addEventListener("dragover", (event) => { event.preventDefault(); root.classList.add("over"); });
    root.addEventListener("dragleave", () => root.classList.remove("over"));
    root.addEventListener("drop", (event) => {
      event.preventDefault();
      root.classList.remove("over");
      this.send(event.dataTransfer.files[0]);
    });
    const microphone = Boolean(navigator.mediaDevices?.getUserMedia); // absent without HTTPS
    this.$(".record").disabled = !microphone;
    this.$(".no-microphone").hidden = microphone;
    for (const type of ["lang", "heard"]) tts.addEventListener(type, () => this.show());
    this.set(null);
  }

  $(selector) { return this.root.querySelector(selector); }

  // What is trimmed is the file that was sent, or else the clip itself.
  set(value, file = null, part = null) {
    this.value = value?.key ? value : null;
    Object.assign(this, { file, part, whole: this.value?.key, sending: null });
    delete this.root.dataset.cutting;
    this.openTrim(false);
    this.phase(this.value ? "ready" : "empty");
  }

  phase(name, error = null) {
    this.root.dataset.phase = name;
    this.error = error;
    this.show();
  }

  show() {
    tts.label(this.root);
    const { value, error } = this, text = error ? error.message ?? tts.t(error.key) : "";
    Object.assign(this.$(".clip-error"), { textContent: text, hidden: !text });
    if (!value) return;
    const hearing = tts.hearing(tts.library.sound(value.key)), button = this.$(".listen");
    button.innerHTML = hearing ? ICONS.stop : ICONS.play;
    button.setAttribute("aria-label", tts.t(hearing ? "stop" : "clip_listen"));
    this.$(".clip-name").textContent = value.name || tts.t(value.seconds ? "clip_recording" : "clip_kept");
    const length = value.seconds ? tts.t("seconds", { n: value.seconds.toFixed(1) }) : "";
    this.$(".clip-length").textContent = "cutting" in this.root.dataset ? tts.t("trim_cutting") : length;
    this.$(".clip-notices").replaceChildren(...(value.notices ?? []).map((key) => {
      const item = document.createElement("li");
      item.textContent = tts.data.strings[tts.lang()][key] ?? key;
      return item;
    }));
  }

  async send(file, name = file?.name) {
    if (!file) return;
    const me = (this.sending = {}); // the last one counts
    this.phase("sending");
    try {
      const { start, ...sent } = await tts.library.sendClip({ file: new File([file], name || "clip.webm") });
      if (me !== this.sending) return;
      this.set({ name, ...sent }, file, [start, start + sent.seconds]);
      this.changed();
      if (this.trims) this.openTrim(true);
    } catch (error) {
      if (me === this.sending) this.phase(this.value ? "ready" : "empty", error);
    }
  }

  async openTrim(wanted) {
    const box = this.$(".clip-trim");
    box.hidden = !wanted;
    this.$(".cut").setAttribute("aria-expanded", wanted);
    if (!wanted) return this.trim?.close();
    this.trim ??= new Trim(box, (start, end) => { this.settled = this.cutTo(start, end); });
    const { file, trim } = this;
    if (file && (await trim.open(await file.arrayBuffer(), ...this.part))) return;
    if (file !== this.file) return; // another one came meanwhile
    Object.assign(this, { file: null, part: null }); // what this browser cannot read, the server made readable
    const answer = await fetch(tts.library.sound(this.whole)).catch(() => null);
    const shown = answer?.ok && (await trim.open(await answer.arrayBuffer()));
    for (const part of box.querySelectorAll(".trim-wave, .trim-row")) part.hidden = !shown;
    box.querySelector(".trim-lost").hidden = shown;
    this.part = [trim.start, trim.end];
  }

  async cutTo(start, end) {
    const me = (this.sending = {}), { file, value, whole } = this, name = value.name || "clip.webm";
    this.root.dataset.cutting = "";
    this.show();
    try {
      const from = file ? { file: new File([file], name) } : { clip: whole };
      const { start: began, ...sent } = await tts.library.sendClip({ ...from, start, end });
      if (me !== this.sending) return;
      Object.assign(this, { value: { ...value, ...sent }, part: [start, end], error: null });
      this.changed();
    } catch (error) {
      if (me !== this.sending) return;
      this.error = error;
      this.trim.set(...this.part); // what is used is what is shown
    }
    delete this.root.dataset.cutting;
    this.show();
  }

  async record() {
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch { return this.phase("empty", { key: "clip_no_microphone" }); }
    const parts = [], recorder = (this.recorder = new MediaRecorder(stream)), began = performance.now();
    const clock = () => {
      const seconds = (performance.now() - began) / 1000;
      this.$(".clock").textContent = `${tts.clock(seconds)} / ${tts.clock(Clip.SECONDS)}`;
      if (seconds >= Clip.SECONDS && recorder.state === "recording") recorder.stop();
    };
    const timer = setInterval(clock, 200);
    recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
    recorder.addEventListener("stop", () => {
      clearInterval(timer);
      stream.getTracks().forEach((track) => track.stop());
      this.send(new Blob(parts, { type: recorder.mimeType }), "");
    });
    clock();
    recorder.start();
    this.phase("recording");
  }
}
