// The segments as running text: those of a preview, or those of a sound, where the spoken one is marked.
class ReadAlong {
  constructor(box) {
    this.box = box;
    this.show("preview", []);
  }

  show(view, segments) {
    if (view === this.view && segments === this.segments) return;
    Object.assign(this, { view, segments, current: -1, made: -1 });
    this.box.dataset.view = view;
    this.box.replaceChildren(...segments.flatMap(({ text, tokens }) => {
      const item = document.createElement("span"); // a button would not wrap within the line
      item.className = "segment";
      item.textContent = text.trim();
      if (tokens && "segment_tokens" in tts.data.parameters) item.dataset.tokens = tokens;
      return [item, " "];
    }));
  }

  // The segment at an element of the list, if it is spoken already.
  at(target) {
    const item = this.view === "sound" && target.closest?.(".segment.made");
    return item ? this.segments[[...this.box.children].indexOf(item)] : null;
  }

  // position in seconds; null: none is being spoken
  mark(position) {
    if (this.view !== "sound") return;
    const made = this.segments.filter((segment) => segment.start !== undefined).length;
    const past = position === null ? 0 : this.segments.filter((segment) => segment.start <= position + 0.01).length;
    const current = past - 1;
    if (current === this.current && made === this.made) return;
    [...this.box.children].forEach((item, i) => {
      item.classList.toggle("made", i < made);
      item.classList.toggle("on", i === current);
    });
    if (current >= 0 && current !== this.current) this.#reveal(this.box.children[current]);
    Object.assign(this, { current, made });
  }

  // Scrolls the list only, never the page.
  #reveal(item) {
    const { box } = this, top = item.offsetTop - box.offsetTop, bottom = top + item.offsetHeight;
    if (top < box.scrollTop || bottom > box.scrollTop + box.clientHeight) box.scrollTop = top - 12;
  }
}
