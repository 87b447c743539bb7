// The editor below one segment: say it again, otherwise; compare the takes, and choose.
const REPAIR_HTML = `
  <div class="repair-head">
    <b class="repair-title"></b>
    <div class="takes" role="group" data-t-label="repair_takes"></div>
    <button type="button" class="pill drop" hidden></button>
    <button type="button" class="repair-close" data-t-label="close"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M6 6l12 12M18 6L6 18"/></svg></button>
  </div>
  <p class="repair-facts"></p>
  <textarea class="repair-text" rows="2" data-t-label="repair_text" data-noi18n></textarea>
  <div class="repair-deeds">
    <button type="button" class="pill strong make"></button>
    <button type="button" class="pill same" data-t="repair_same"></button>
    <button type="button" class="pill give-up" data-t="cancel"></button>
    <p class="repair-state" role="status"></p>
  </div>
  <p class="repair-error" role="alert" hidden></p>
  <p class="repair-hint"></p>`;

class Repair {
  static LOOK_MS = 1500; // between questions after the place in the queue

  // studio: output() is the sound's id, own(i) the voice that the text gives segment i, "" where it is the settings', take(segments) shows what the server has of them, hear(i) plays one,
  // anchor(i) is its element, focus(i) goes back there
  constructor(studio) {
    this.studio = studio;
    this.box = document.createElement("div");
    this.box.className = "repair";
    this.box.setAttribute("role", "group");
    this.box.innerHTML = REPAIR_HTML;
    this.index = -1;
    const on = (selector, act) => this.$(selector).addEventListener("click", act);
    on(".make", () => this.make({}));
    on(".same", () => this.make({ seed: this.take.seed }));
    on(".give-up", () => this.asked?.abort());
    on(".drop", () => this.drop());
    on(".repair-close", () => this.close());
    on(".takes", ({ target }) => { const { take } = target.closest("[data-take]")?.dataset ?? {}; if (take) this.choose(Number(take)); });
    // nothing of it is for the list around it, or for the page's own keys
    this.box.addEventListener("click", (event) => event.stopPropagation());
    this.box.addEventListener("keydown", (event) => this.#key(event));
  }

  $(selector) { return this.box.querySelector(selector); }
  get takes() { return new Takes(this.studio.output()); }
  get take() { return this.kept?.takes.find(({ take }) => take === this.kept.chosen); }
  // Who is to speak: the voice of the text's mark, unless another one is set while the editor is open.
  get voice() {
    const { voice } = tts.settings.now();
    return (voice === this.set && this.studio.own(this.index)) || voice;
  }
  get busy() { return Boolean(this.asked); }

  #key(event) {
    event.stopPropagation();
    if (event.key === "Escape") this.close();
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !this.busy) this.make({});
  }

  open(i) {
    if (this.index === i) return this.close();
    this.close(false);
    Object.assign(this, { index: i, kept: null, said: null, error: null, set: tts.settings.now().voice });
    this.studio.anchor(i).after(this.box);
    this.$(".repair-text").value = this.studio.anchor(i).textContent;
    this.label();
    this.$(".repair-text").focus();
    this.#run(async () => {
      const { segments } = await this.takes.list(10);
      await this.studio.take(segments);
      await this.#took(segments[i], i);
    });
  }

  close(back = true) {
    if (this.index < 0) return;
    const i = this.index, within = this.box.contains(document.activeElement);
    this.asked?.abort();
    this.index = -1;
    this.box.remove();
    if (back && within) this.studio.focus(i);
  }

  // What the server has of the segment now. Its text follows, unless somebody is writing another one.
  async #took(kept, i) {
    const before = this.take?.text ?? this.studio.anchor(i).textContent, text = this.$(".repair-text");
    await this.studio.take([kept]);
    if (this.index !== i) return;
    this.kept = kept;
    if (this.take && text.value.trim() === before.trim()) text.value = this.take.text;
  }

  // One thing at a time; what goes wrong is told here. The segment may have been left meanwhile.
  async #run(act) {
    const i = this.index, tell = () => { if (this.index === i) this.label(); };
    this.error = null;
    try { await act(i); } catch (error) {
      if (this.index === i) error ? this.error = error : this.said = ["repair_cancelled"];
    }
    tell();
  }

  make(fields) {
    if (this.busy) return;
    this.#run(async (i) => {
      const text = this.$(".repair-text").value, id = `take-${Date.now()}-${Math.floor(1e9 * Math.random())}`;
      const asked = this.asked = new AbortController();
      this.said = ["repair_working"];
      this.label();
      const watch = setInterval(() => this.#look(id, i), Repair.LOOK_MS);
      try {
        const kept = await this.takes.make(i, { text, voice: this.voice, ...fields }, asked.signal, id);
        const news = kept.takes.at(-1);
        if (this.index === i) this.$(".repair-text").value = this.take?.text ?? news.text; // it is no longer only wished for
        await this.#took(kept, i);
        if (this.index !== i) return;
        this.said = ["repair_ready", news.take];
        this.studio.hear(i);
      } finally {
        clearInterval(watch);
        if (this.asked === asked) this.asked = null;
      }
    });
  }

  async #look(id, i) {
    const { position, eta } = await tts.api(`v1/requests/${id}`).catch(() => ({})) ?? {};
    if (!this.busy || this.index !== i) return;
    this.said = position ? ["state_ahead", position, eta] : ["repair_working"];
    this.label();
  }

  choose(take) {
    this.#run(async (i) => {
      if (take !== this.kept.chosen) {
        await this.#took(await this.takes.choose(i, take), i);
        this.said = ["repair_chosen", take];
      }
      this.studio.hear(i);
    });
  }

  drop() {
    const { take } = this.take;
    this.#run(async (i) => {
      await this.#took(await this.takes.remove(i, take), i);
      this.said = ["repair_dropped", take];
      this.$(".takes [aria-pressed=true]")?.focus();
    });
  }

  // ---- what is seen

  // How a take was made, in words.
  static facts({ voice, speed, seed, emotion }) {
    const facts = [tts.t("repair_voice", { voice: tts.library.called(voice) }), speed !== 1 && `${speed}×`, tts.feelings.words(emotion)];
    return [...facts, tts.data.can.seed && tts.t("history_seed", { n: seed })].filter(Boolean).join(" · ");
  }

  label() {
    if (this.index < 0) return;
    tts.label(this.box);
    const n = this.index + 1, { take, busy } = this;
    this.box.setAttribute("aria-label", tts.t("repair_edit", { n }));
    this.$(".repair-title").textContent = tts.t("repair_title", { n });
    this.$(".make").textContent = tts.t(this.kept && !take ? "repair_first" : "repair_make");
    this.$(".make").disabled = busy || !this.kept;
    this.$(".same").hidden = busy || !tts.data.can.seed || !take;
    this.$(".give-up").hidden = !busy;
    this.$(".repair-facts").textContent = take ? Repair.facts(take) : "";
    const voice = tts.library.called(this.voice);
    this.$(".repair-hint").textContent = tts.t(tts.data.can.seed ? "repair_hint" : "repair_hint_fixed", { voice });
    this.$(".drop").hidden = !take || take.original;
    if (take) this.$(".drop").textContent = tts.t("repair_drop", { n: take.take });
    this.box.setAttribute("aria-busy", String(busy));
    this.#showTakes();
    this.#tell();
  }

  #showTakes() {
    const takes = this.kept?.takes ?? [], box = this.$(".takes"), focused = document.activeElement?.dataset.take;
    box.hidden = takes.length < 1;
    box.replaceChildren(...takes.map(({ take, text, voice }) => {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "pill", textContent: take });
      button.dataset.take = take;
      button.title = `${tts.library.called(voice)}\n${text}`;
      button.setAttribute("aria-pressed", String(take === this.kept.chosen));
      button.setAttribute("aria-label", tts.t("repair_take", { n: take }));
      return button;
    }));
    if (focused) box.querySelector(`[data-take="${focused}"]`)?.focus();
  }

  #tell() {
    const [key, n, eta] = this.said ?? [], state = this.$(".repair-state");
    const soon = eta == null ? "" : ` · ${tts.t("state_eta", { time: tts.duration(eta) })}`;
    const text = this.error || !key ? "" : tts.t(key, { n }) + soon;
    if (state.textContent !== text) state.textContent = text;
    const told = this.error ? this.error.message ?? tts.t(this.error.key) : "";
    Object.assign(this.$(".repair-error"), { textContent: told, hidden: !told });
  }
}
