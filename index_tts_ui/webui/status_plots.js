// Small plots of the last 15 minutes: lines in an SVG whose colours are the theme's, with the numbers in words.
const MINUTES = 15, WIDE = 300, HIGH = 64;
const FORMS = {
  count: (n) => String(Math.round(n * 10) / 10),
  time: (n) => (n < 1 ? tts.t("st_unit_ms", { n: Math.round(n * 1000) }) : tts.t("st_unit_s", { n: n.toFixed(n < 10 ? 1 : 0) })),
  audio: (n) => tts.t("st_unit_s", { n: n.toFixed(1) }),
  memory: megabytes,
};
const total = (field) => (sample) => {
  const known = sample.workers.filter((worker) => worker[field] != null);
  return known.length ? known.reduce((sum, worker) => sum + worker[field], 0) : null;
};
const field = (name) => (sample, own) => own[name] ?? null;
const whole = (name) => (sample) => sample[name] ?? null;
// name: [how numbers are written, lines: [label, value of a sample]]; a line that has never a number is not drawn
const PLOTS = {
  waiting: ["count", [["", field("waiting")]]],
  running: ["count", [["", field("running")]]],
  batch: ["count", [["", field("batch")]]],
  segments: ["count", [["", field("segments")]]],
  audio: ["audio", [["", field("audio")]]],
  wait: ["time", [["half", field("wait_p50")], ["most", field("wait_p95")]]],
  first: ["time", [["half", field("first_p50")], ["most", field("first_p95")]]],
  segment: ["time", [["half", field("segment_p50")], ["most", field("segment_p95")]]],
  failed: ["count", [["failed", whole("failed")], ["refused", whole("refused")]]],
  memory: ["memory", [["", total("memory_mb")]]],
  device: ["memory", [["", total("device_mb")]]],
  server: ["memory", [["", whole("server_mb")]]],
};

class Plot {
  constructor(name, form, lines) {
    Object.assign(this, { name, form: FORMS[form], lines });
    this.item = make("figure", "plot");
    this.item.dataset.plot = name;
    this.item.innerHTML = `<figcaption><span class="plot-name"></span><b class="plot-now" data-noi18n></b></figcaption>
      <svg viewBox="0 0 ${WIDE} ${HIGH}" preserveAspectRatio="none" role="img"></svg>
      <div class="plot-foot"><span class="legend"></span><span class="plot-high" data-noi18n></span></div>`;
    this.svg = this.item.querySelector("svg");
    this.svg.addEventListener("pointermove", (event) => this.point(event));
    this.svg.addEventListener("pointerleave", () => { this.at = null; this.say(); });
  }

  $(selector) { return this.item.querySelector(selector); }

  // end: seconds since 1970 at the right edge; own: the figures of a sample that are the chosen engine's
  show(samples, end, own) {
    const begin = end - MINUTES * 60;
    this.end = end;
    this.rows = this.lines.map(([, value]) => samples.map((sample) => [sample.at, value(sample, own(sample))]));
    const known = this.rows.flat().map(([, value]) => value).filter((value) => value != null);
    this.item.hidden = this.name === "device" && !known.length;
    this.high = Math.max(0, ...known);
    this.low = known.length ? Math.min(...known) : 0;
    const top = this.high || 1, x = (at) => ((at - begin) / (end - begin)) * WIDE, y = (value) => HIGH - 3 - (value / top) * (HIGH - 8);
    this.svg.innerHTML = this.rows.map((row, number) => drawn(row, x, y, number)).join("") + `<line class="cursor" y1="0" y2="${HIGH}" hidden></line>`;
    this.say();
  }

  say() {
    const name = tts.t(`st_plot_${this.name}`), last = this.rows.map((row) => row.at(-1)?.[1] ?? null);
    const now = this.at ?? last, text = (value) => (value == null ? "–" : this.form(value));
    this.$(".plot-name").textContent = name;
    this.$(".plot-now").textContent = now.map(text).join(" / ");
    this.$(".plot-high").textContent = this.high ? `≤ ${this.form(this.high)}` : "";
    this.$(".legend").replaceChildren(...this.lines.flatMap(([label], number) => (label ? [keyed(label, number)] : [])));
    const values = { name, now: last.map(text).join(" / "), low: text(this.low), high: text(this.high) };
    this.svg.setAttribute("aria-label", this.rows.some((row) => row.some(([, value]) => value != null)) ? tts.t("st_alt", values) : tts.t("st_alt_none", { name }));
  }

  // The numbers under the pointer instead of the last ones.
  point(event) {
    const { left, width } = this.svg.getBoundingClientRect(), part = (event.clientX - left) / width;
    const at = this.end - MINUTES * 60 * (1 - part), cursor = this.svg.querySelector(".cursor");
    const nearest = (row) => row.reduce((best, one) => (Math.abs(one[0] - at) < Math.abs(best[0] - at) ? one : best), row[0] ?? [0, null]);
    this.at = this.rows.map((row) => nearest(row)[1]);
    cursor?.removeAttribute("hidden");
    cursor?.setAttribute("x1", part * WIDE);
    cursor?.setAttribute("x2", part * WIDE);
    this.say();
  }
}

function keyed(label, number) {
  const key = make("span", `key line-${number}`, tts.t(`st_${label}`));
  return key;
}

// A line with gaps where nothing was counted; the first one with its ground filled.
function drawn(row, x, y, number) {
  const runs = [[]];
  for (const [at, value] of row) {
    if (value == null) { if (runs.at(-1).length) runs.push([]); } else runs.at(-1).push(`${x(at).toFixed(1)},${y(value).toFixed(1)}`);
  }
  return runs.filter((run) => run.length).map((run) => {
    const points = run.length > 1 ? run : [run[0], `${Number(run[0].split(",")[0]) + 2},${run[0].split(",")[1]}`];
    const ground = number ? "" : `<polygon class="ground" points="${points[0].split(",")[0]},${HIGH} ${points.join(" ")} ${points.at(-1).split(",")[0]},${HIGH}"/>`;
    return `${ground}<polyline class="line-${number}" points="${points.join(" ")}"/>`;
  }).join("");
}

class Plots {
  constructor(root) {
    Object.assign(this, { root, samples: [], began: null, engine: "" });
    this.plots = Object.entries(PLOTS).map(([name, [form, lines]]) => new Plot(name, form, lines));
    root.querySelector(".plots").append(...this.plots.map((plot) => plot.item));
    this.choice = root.querySelector(".of-engine");
    this.choice.addEventListener("change", () => { this.engine = this.choice.value; this.show(); });
  }

  async ask() {
    const { began, samples } = await asked(`v1/status/series?after=${this.samples.at(-1)?.number ?? 0}`);
    if (this.began !== null && began !== this.began) { // another server counts from the start
      Object.assign(this, { began: null, samples: [] });
      return this.ask();
    }
    this.began = began;
    this.samples = [...this.samples, ...samples].slice(-180);
    return this.show();
  }

  show() {
    const names = [...new Set(this.samples.flatMap((sample) => Object.keys(sample.engines)))];
    if (!names.includes(this.engine)) this.engine = "";
    this.choice.hidden = names.length < 2;
    this.choice.replaceChildren(new Option(tts.t("st_all"), ""), ...names.map((name) => Object.assign(new Option(name, name), { lang: "en" })));
    this.choice.value = this.engine;
    this.root.querySelector(".none").hidden = this.samples.length > 0;
    this.root.querySelector(".plots").hidden = !this.samples.length;
    const end = this.samples.at(-1)?.at ?? Date.now() / 1000;
    const own = (sample) => (this.engine ? sample.engines[this.engine] ?? {} : sample);
    this.plots.forEach((plot) => plot.show(this.samples, end, own));
  }
}
