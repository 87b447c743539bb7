// What admins have besides: the last errors, a log that goes on, and the model.
const when = (seconds) => new Date(seconds * 1000).toLocaleTimeString(tts.lang(), { hour: "2-digit", minute: "2-digit", second: "2-digit" });

class Errors {
  constructor(card) { Object.assign(this, { card, errors: [] }); }

  async ask() {
    this.errors = (await asked("v1/admin/errors")).errors;
    this.show();
  }

  show() {
    this.card.querySelector(".none").hidden = this.errors.length > 0;
    this.card.querySelector(".list").replaceChildren(...this.errors.map((one) => {
      const item = make("li", "error"), about = make("div", "hint"), words = make("div", "error-words", tts.lang() === "en" ? one.message : one.message_zh);
      const code = make("code", "", one.engine ? `${one.code} · ${one.engine}` : one.code);
      code.dataset.noi18n = words.dataset.noi18n = ""; // a reason inside of it may be in the engine's words
      about.append(make("span", "", [tts.t("st_times", { n: one.count }), tts.t("st_last_at", { when: when(one.last) })].join(" · ")), " ", code);
      item.append(words, about);
      return item;
    }));
  }
}

const LOG_FILES = ["error", "access", "debug"], LOG_LINES = 300, LOG_KEPT = 2000;

class Log {
  constructor(card) {
    Object.assign(this, { card, pre: card.querySelector(".log"), lines: [], note: "", source: null, wanted: "" });
    this.file = card.querySelector(".log-file");
    this.find = card.querySelector(".log-find");
    this.follow = card.querySelector(".log-follow");
    this.file.replaceChildren(...LOG_FILES.map((name) => new Option(name, name)));
    let typing = 0;
    this.file.addEventListener("change", () => this.open());
    this.follow.addEventListener("change", () => this.open());
    this.find.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(() => this.open(), 300); });
  }

  // Called now and then: a log is followed only while somebody looks.
  look() {
    if (!looking()) this.close();
    else if (!this.source && (this.follow.checked || !this.wanted)) this.open();
  }

  close() {
    this.source?.close();
    this.source = null;
  }

  async open() {
    this.close();
    const query = new URLSearchParams({ file: this.file.value, lines: LOG_LINES, q: this.find.value.trim() });
    const wanted = (this.wanted = `${query} ${this.follow.checked}`);
    if (!this.follow.checked) {
      const { lines } = await asked(`v1/admin/logs?${query}`).catch(() => ({ lines: [] }));
      if (this.wanted === wanted) this.take(lines, []);
      return;
    }
    const source = (this.source = new EventSource(tts.url(`v1/admin/logs/events?${query}`)));
    source.addEventListener("tail", ({ data }) => this.take(JSON.parse(data).lines, []));
    source.addEventListener("lines", ({ data }) => this.take(JSON.parse(data).lines, this.lines));
    source.onerror = () => { this.note = "st_log_lost"; this.say(); };
  }

  take(lines, before) {
    const { pre } = this, atEnd = pre.scrollHeight - pre.scrollTop - pre.clientHeight < 40 || !before.length;
    this.lines = [...before, ...lines].slice(-LOG_KEPT);
    pre.textContent = this.lines.join("\n");
    if (atEnd) pre.scrollTop = pre.scrollHeight; // who has scrolled up reads on in peace
    this.note = this.lines.length ? "" : "st_log_none";
    this.say();
  }

  say() {
    [...this.file.options].forEach((option) => { option.textContent = tts.t(`st_log_${option.value}`); });
    this.card.querySelector(".log-note").textContent = this.note ? tts.t(this.note) : "";
  }
}

// Unload and reload, after a question.
function modelDeeds(card) {
  const box = card.querySelector(".model-sure");
  for (const deed of ["unload", "reload"]) {
    const act = async () => {
      try {
        await asked(`v1/admin/model/${deed}`, "POST");
        told(card, `st_${deed}_done`);
      } catch (error) { complained(card, error); }
      tts.ask();
    };
    card.querySelector(`.${deed}`).addEventListener("click", () => confirmed(box, tts.t(`st_${deed}_sure`), act, tts.t(`st_do_${deed}`)));
  }
}
