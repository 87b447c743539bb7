// A long list of rows of the same height: only those in sight are in the document.
const SCRIPT_ICONS = {
  play: '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M8 5.2v13.6a.8.8 0 0 0 1.2.7l10.8-6.8a.8.8 0 0 0 0-1.4L9.2 4.5A.8.8 0 0 0 8 5.2z"/></svg>',
  stop: '<svg viewBox="0 0 24 24" aria-hidden="true"><rect x="6.5" y="6.5" width="11" height="11" rx="2"/></svg>',
  onward: '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M5 6v12a.7.7 0 0 0 1.1.6L14 13v5a.7.7 0 0 0 1.1.6l7-6a.8.8 0 0 0 0-1.2l-7-6A.7.7 0 0 0 14 6v5L6.1 5.4A.7.7 0 0 0 5 6z"/></svg>',
};

class RowList {
  static SPARE = 6; // rows beyond the edges

  // box: what scrolls; all: what is as high as all rows; make(): an element; fill(element, index): what it shows
  constructor(box, all, height, make, fill) {
    Object.assign(this, { box, all, height, make, fill, count: 0, shown: new Map(), asked: false });
    box.addEventListener("scroll", () => this.ask(), { passive: true });
    new ResizeObserver(() => this.ask()).observe(box);
    all.addEventListener("keydown", (event) => this.#key(event));
  }

  resize(count) {
    this.count = count;
    this.all.style.height = `${count * this.height}px`;
    for (const [index, element] of this.shown) if (index >= count) this.#drop(index, element);
    this.refresh();
  }

  // All that is shown is filled anew, once, before the next picture.
  refresh() {
    this.stale = true;
    this.ask();
  }

  // One row changed.
  touch(index) {
    const element = this.shown.get(index);
    if (element) this.fill(element, index);
  }

  reveal(index) {
    const { box, height } = this, top = index * height;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + height > box.scrollTop + box.clientHeight) box.scrollTop = top + height - box.clientHeight;
    this.draw();
    return this.shown.get(index);
  }

  ask() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => { this.asked = false; this.draw(); });
  }

  draw() {
    const { box, height, count, shown } = this;
    const first = Math.max(0, Math.floor(box.scrollTop / height) - RowList.SPARE);
    const last = Math.min(count, Math.ceil((box.scrollTop + box.clientHeight) / height) + RowList.SPARE);
    for (const [index, element] of shown) {
      if ((index < first || index >= last) && !element.contains(document.activeElement)) this.#drop(index, element);
    }
    for (let index = first; index < last; index++) {
      const element = shown.get(index);
      if (!element) this.#put(index);
      else if (this.stale) this.#fill(element, index);
    }
    this.stale = false;
  }

  #put(index) {
    const element = this.make();
    element.style.transform = `translateY(${index * this.height}px)`;
    element.dataset.index = index;
    this.#fill(element, index);
    this.shown.set(index, element);
    const next = [...this.all.children].find((other) => Number(other.dataset.index) > index); // the order of tabbing
    this.all.insertBefore(element, next ?? null);
  }

  #fill(element, index) {
    element.setAttribute("aria-posinset", index + 1);
    element.setAttribute("aria-setsize", this.count);
    this.fill(element, index);
  }

  #drop(index, element) {
    element.remove();
    this.shown.delete(index);
  }

  // Up and down go to the same control of the next row.
  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key], row = event.target.closest("[data-index]");
    if (!step || !row) return;
    const index = Math.min(this.count - 1, Math.max(0, Number(row.dataset.index) + step));
    const wanted = [...row.querySelectorAll("button")].indexOf(event.target);
    event.preventDefault();
    this.reveal(index)?.querySelectorAll("button")[wanted]?.focus({ preventScroll: true });
  }
}
