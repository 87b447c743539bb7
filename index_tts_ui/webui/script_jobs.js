// The jobs of the API: made, followed, changed; and the list of those that there are.
const JOBS = "v1/audio/jobs", JOBS_PAGE = 10, LINES_PAGE = 1000, JOBS_MS = 5000, AWAY_MS = 2000;
const UNFINISHED = ["queued", "running", "paused"];

const jobs = {
  path: (id, what = "") => `${JOBS}/${encodeURIComponent(id)}${what && `/${what}`}`,
  url: (id, what) => tts.url(jobs.path(id, what)),
  read: (body) => tts.api(`${JOBS}/lines`, body instanceof FormData ? { method: "POST", body } : tts.json("POST", body)),
  make: (body) => tts.api(JOBS, tts.json("POST", body)),
  get: (id) => tts.api(jobs.path(id)),
  act: (id, what, body) => tts.api(jobs.path(id, what), tts.json("POST", body ?? {})),
  remove: (id) => tts.api(jobs.path(id), { method: "DELETE" }),
  page: (after, limit) => tts.api(`${JOBS}?limit=${limit}${after && `&after=${after}`}`),
  async lines(id) { // all of its pages
    const pages = [];
    for (let first = 1; ; first += LINES_PAGE) {
      pages.push(await tts.api(`${jobs.path(id, "lines")}?limit=${LINES_PAGE}&first=${first}`));
      if (!pages.at(-1).has_more) return pages;
    }
  },
};

// Follows one job until told otherwise; where the server is away it tries again.
class Follower {
  // told(type, data): "job", "segments", "ended", "away"
  constructor(told) {
    this.told = told;
    this.stream = null;
  }

  stop() {
    this.stream?.abort();
    this.stream = null;
  }

  async follow(id) {
    this.stop();
    const mine = this.stream = new AbortController();
    while (mine === this.stream) {
      try {
        for await (const { type, data } of serverEvents(jobs.url(id, "events"), mine.signal)) {
          if (mine !== this.stream) return;
          this.told(type, data);
          if (type === "ended") return;
        }
      } catch (error) {
        if (mine !== this.stream || error.name === "AbortError") return;
        if (error.message === "HTTP 404") return this.told("gone");
      }
      this.told("away");
      await new Promise((resolve) => { setTimeout(resolve, AWAY_MS); });
    }
  }
}

const JOB_HTML = `
  <div class="job-row"><div class="job-about"><b class="job-title" data-noi18n></b><div class="job-facts"></div></div>
    <button type="button" class="pill open" data-t="script_open"></button>
    <button type="button" class="pill delete" data-t="script_delete"></button></div>
  <div class="job-sure" role="group" hidden><span data-t="script_delete_sure"></span>
    <span class="chips"><button type="button" class="pill danger yes" data-t="script_delete"></button><button type="button" class="pill no" data-t="cancel"></button></span></div>`;

class JobShelf {
  // open(job), removed(id), failed(error)
  constructor(root, open, removed, failed) {
    Object.assign(this, { root, removed, failed, jobs: [], more: false, current: null, sure: "" });
    this.list = root.querySelector(".jobs-list");
    root.querySelector(".jobs-more").addEventListener("click", () => this.load(this.jobs.at(-1)?.id));
    this.list.addEventListener("click", ({ target }) => {
      const item = target.closest("[data-job]"), job = this.jobs.find(({ id }) => id === item?.dataset.job);
      if (!job || !target.closest("button")) return;
      if (target.closest(".open")) open(job);
      if (target.closest(".delete")) this.#ask(item, job.id);
      if (target.closest(".no")) this.#ask(item, "");
      if (target.closest(".yes")) this.remove(job.id);
    });
    setInterval(() => this.#look(), JOBS_MS);
  }

  // after: a job's id, for those behind it
  async load(after = "") {
    try {
      const page = await jobs.page(after, after ? JOBS_PAGE : Math.min(100, Math.max(JOBS_PAGE, this.jobs.length)));
      this.jobs = after ? [...this.jobs, ...page.data] : page.data;
      this.more = page.has_more;
      this.show();
    } catch { /* the badge tells that the server is away */ }
  }

  async remove(id) {
    try {
      await jobs.remove(id);
    } catch (error) { return this.failed(error); }
    this.removed(id);
    await this.load();
  }

  #ask(item, id) {
    this.sure = id;
    item.querySelector(".job-sure").hidden = !id;
    item.querySelector(id ? ".no" : ".delete").focus();
  }

  // While some are unfinished, and somebody looks.
  #look() {
    const seen = this.root.isConnected && this.root.checkVisibility() && document.visibilityState === "visible";
    if (seen && this.jobs.some(({ state }) => UNFINISHED.includes(state))) this.load();
  }

  show() {
    const focus = this.list.contains(document.activeElement) ? document.activeElement : null;
    const place = focus && [focus.closest("[data-job]").dataset.job, focus.className];
    this.list.replaceChildren(...this.jobs.map((job) => this.#entry(job)));
    if (place) this.list.querySelector(`[data-job="${place[0]}"] .${place[1].split(" ").at(-1)}`)?.focus();
    this.root.querySelector(".jobs-none").hidden = this.jobs.length > 0;
    this.root.querySelector(".jobs-more").hidden = !this.more;
  }

  #entry(job) {
    const item = document.createElement("li"), name = job.title || tts.t("script_untitled");
    item.dataset.job = job.id;
    item.innerHTML = JOB_HTML;
    item.classList.toggle("current", job.id === this.current);
    tts.label(item);
    const $ = (selector) => item.querySelector(selector);
    $(".job-title").textContent = name;
    if (!job.title) delete $(".job-title").dataset.noi18n;
    const when = new Date(job.created * 1000).toLocaleString(tts.lang(), { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
    const part = UNFINISHED.includes(job.state) ? ` ${Math.floor(100 * job.progress)}%` : "";
    const facts = [tts.t(`script_state_${job.state}`) + part, tts.t("script_lines", { n: job.lines }), job.audio_seconds && tts.clock(job.audio_seconds), when];
    $(".job-facts").textContent = facts.filter(Boolean).join(" · ");
    $(".open").setAttribute("aria-label", tts.t("script_open_of", { name }));
    $(".delete").setAttribute("aria-label", tts.t("script_delete_of", { name }));
    $(".job-sure").hidden = this.sure !== job.id;
    return item;
  }
}
