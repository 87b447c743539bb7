// The eight weights of an emotion as the petals of a rose; what it shows is told in words, too.
class Rose {
  static RADIUS = 62; // of a weight of 1

  constructor(root) {
    this.root = root;
    root.setAttribute("role", "img");
    const rings = [0.25, 0.5, 0.75, 1].map((part) => `<circle r="${Rose.RADIUS * part}"/>`).join("");
    const petals = tts.data.emotions.map((_, i) => `<g><line x2="${Rose.#x(i, Rose.RADIUS)}" y2="${Rose.#y(i, Rose.RADIUS)}"/><path/><text/></g>`);
    root.innerHTML = `<svg viewBox="-130 -84 260 168" aria-hidden="true">${rings}${petals.join("")}</svg>`;
  }

  static #angle(i) { return (2 * Math.PI * i) / tts.data.emotions.length - Math.PI / 2; }
  static #x(i, radius) { return (radius * Math.cos(Rose.#angle(i))).toFixed(2); }
  static #y(i, radius) { return (radius * Math.sin(Rose.#angle(i))).toFixed(2); }

  // weights: eight numbers from 0 to 1
  show(weights) {
    const names = tts.data.emotions.map((name) => tts.t(`emotion_${name}`));
    this.root.querySelectorAll("g").forEach((group, i) => {
      const [path, text] = [group.querySelector("path"), group.querySelector("text")], reach = Rose.RADIUS * weights[i];
      path.setAttribute("d", reach ? Rose.#petal(i, reach) : "");
      const x = Rose.#x(i, Rose.RADIUS + 9), side = Math.abs(x) < 5 ? "middle" : x > 0 ? "start" : "end";
      const lift = { 0: 0, 4: 6 }[i] ?? 3;
      Object.entries({ x, y: Number(Rose.#y(i, Rose.RADIUS + 9)) + lift, "text-anchor": side }).forEach(([key, value]) => text.setAttribute(key, value));
      text.textContent = names[i];
      text.classList.toggle("on", weights[i] > 0);
    });
    const told = names.map((name, i) => [name, weights[i]]).filter(([, weight]) => weight > 0);
    const values = told.map(([name, weight]) => `${name} ${weight}`).join(", ");
    this.root.setAttribute("aria-label", values ? tts.t("rose", { values }) : tts.t("rose_none"));
  }

  static #petal(i, reach) {
    const bend = (turn) => {
      const angle = Rose.#angle(i) + turn * 0.42;
      return `${(reach * 1.02 * Math.cos(angle)).toFixed(2)} ${(reach * 1.02 * Math.sin(angle)).toFixed(2)}`;
    };
    const tip = `${Rose.#x(i, reach)} ${Rose.#y(i, reach)}`;
    return `M0 0C${bend(-1)} ${bend(-1)} ${tip}C${bend(1)} ${bend(1)} 0 0Z`;
  }
}
