// The segments as running text: those of a preview, or those of a sound, where the spoken one is marked and each
// can be played and edited. One of them is in the tab order; arrows go to the others.
class ReadAlong {
  static EDIT = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 20l1-4.5L16.2 4.3a1.6 1.6 0 0 1 2.3 0l1.2 1.2a1.6 1.6 0 0 1 0 2.3L8.5 19 4 20z"/></svg>';
  static STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity };

  // on.play(i), on.edit(i)
  constructor(box, on) {
    Object.assign(this, { box, on });
    this.show("preview", []);
    box.addEventListener("click", (event) => {
      const i = this.#index(event.target);
      if (i >= 0) this.#act(event.target.closest(".edit") ? on.edit : on.play, i);
    });
    box.addEventListener("keydown", (event) => this.#key(event));
    box.addEventListener("focusin", (event) => { const i = this.#index(event.target); if (i >= 0) this.#enter(i); });
  }

  show(view, segments) {
    if (view === this.view && segments === this.segments) return;
    const heard = view === "sound";
    Object.assign(this, { view, segments, current: -1, made: null });
    this.box.dataset.view = view;
    this.items = segments.map((segment, i) => this.#item(segment, heard && i));
    this.box.replaceChildren(...this.items.flatMap((item) => [item, " "]));
    this.label();
  }

  #item({ text, tokens, voice, pause, pause_before: lead }, i) {
    const item = document.createElement("span"), words = document.createElement("span"); // a button would not wrap within the line
    item.className = "segment";
    words.className = "words";
    words.textContent = text.trim();
    item.append(words);
    for (const [key, value] of Object.entries({ voice, pause: pause && `‖ ${pause} s`, lead: lead && `‖ ${lead} s` })) if (value) item.dataset[key] = value;
    if (i === false) {
      if (tokens && "segment_tokens" in tts.data.parameters) item.dataset.tokens = tokens;
      return item;
    }
    words.setAttribute("role", "button");
    const edit = Object.assign(document.createElement("button"), { type: "button", className: "edit", innerHTML: ReadAlong.EDIT });
    edit.tabIndex = words.tabIndex = i ? -1 : 0;
    item.append(edit);
    return item;
  }

  label() {
    this.items.forEach((item, i) => item.querySelector(".edit")?.setAttribute("aria-label", tts.t("repair_edit", { n: i + 1 })));
  }

  // Another take of a segment may say something else.
  say(i, text) {
    const words = this.view === "sound" && this.items[i]?.querySelector(".words");
    if (words && words.textContent !== text.trim()) words.textContent = text.trim();
  }

  #index(target) { return this.view === "sound" ? this.items.indexOf(target.closest?.(".segment")) : -1; }

  #act(act, i) {
    if (act === this.on.edit || this.segments[i].start !== undefined) act(i);
  }

  #enter(chosen) {
    this.items.forEach((item, i) => { for (const part of item.children) part.tabIndex = i === chosen ? 0 : -1; });
  }

  #key(event) {
    const i = this.#index(event.target);
    if (i < 0 || !event.target.matches(".words") || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = ReadAlong.STEPS[event.key];
    if (step) this.focus(Math.min(this.items.length - 1, Math.max(0, i + step)));
    else if (event.key === "Enter" || event.key === " ") this.#act(this.on.play, i);
    else if (event.key === "F2" || event.key === "e") this.#act(this.on.edit, i);
    else return;
    event.preventDefault();
  }

  focus(i, part = ".words") { this.items[i]?.querySelector(part)?.focus(); }

  // position in seconds; null: none is being spoken
  mark(position) {
    if (this.view !== "sound") return;
    const spoken = this.segments.map(({ start }) => start !== undefined), made = spoken.join();
    const past = (start) => position !== null && start <= position + 0.01; // undefined is never past
    const current = this.segments.findLastIndex(({ start }) => past(start));
    if (current === this.current && made === this.made) return;
    this.items.forEach((item, i) => {
      item.classList.toggle("made", spoken[i]);
      item.classList.toggle("on", i === current);
      item.firstChild.setAttribute("aria-disabled", String(!spoken[i]));
    });
    if (current >= 0 && current !== this.current) this.#reveal(this.items[current]);
    Object.assign(this, { current, made });
  }

  // Scrolls the list only, never the page.
  #reveal(item) {
    const { box } = this, top = item.offsetTop - box.offsetTop, bottom = top + item.offsetHeight;
    if (top < box.scrollTop || bottom > box.scrollTop + box.clientHeight) box.scrollTop = top - 12;
  }
}
