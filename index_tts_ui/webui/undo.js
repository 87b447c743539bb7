// What was deleted last can be taken back, for a moment.
class Undo {
  static MS = 12000;

  // button: the one that takes it back; shown(): something is offered, or no longer
  constructor(button, shown) { Object.assign(this, { button, shown, gone: null, timer: 0 }); }

  offer(thing) {
    clearTimeout(this.timer);
    this.gone = thing;
    this.shown();
    this.button.focus();
    this.timer = setTimeout(() => this.#lapse(), Undo.MS);
  }

  #lapse() {
    if (document.activeElement === this.button) return this.offer(this.gone); // somebody is about to
    this.gone = null;
    this.shown();
  }

  forget() {
    clearTimeout(this.timer);
    this.gone = null;
  }
}
