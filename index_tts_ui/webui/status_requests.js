// A list of requests under way, one's own or everybody's, each with its place, its progress and Cancel.
const SHOWN = 50;

class Requests {
  // about: {path: where they are listed, cancel(one): the path that DELETE takes, sure: whether to ask first}
  constructor(card, about) {
    Object.assign(this, { card, about, requests: [], total: 0, rows: new Map() });
    this.list = card.querySelector(".list");
  }

  async ask() {
    const { requests, total } = await asked(this.about.path);
    Object.assign(this, { requests, total: total ?? requests.length });
    this.show();
  }

  show() {
    const shown = this.requests.slice(0, SHOWN), rows = new Map();
    for (const one of shown) {
      const row = this.rows.get(one.id) ?? this.row(one);
      row.one = one;
      rows.set(one.id, row);
      this.fill(row);
    }
    const items = [...rows.values()].map((row) => row.item), before = [...this.list.children];
    if (items.length !== before.length || items.some((item, i) => item !== before[i])) this.list.replaceChildren(...items);
    this.rows = rows;
    this.card.querySelector(".none").hidden = items.length > 0;
    const more = this.card.querySelector(".more"), hidden = this.total - items.length;
    if (more) Object.assign(more, { hidden: hidden < 1, textContent: tts.t("st_more", { n: hidden }) });
  }

  row(one) {
    const item = make("li", "request");
    item.dataset.request = one.id;
    item.innerHTML = `<div class="request-words"><span class="caller" data-noi18n></span><span class="request-id" data-noi18n></span><span class="request-state"></span></div>
      <progress max="1"></progress><button type="button" class="pill cancel"></button>
      <div class="sure" hidden><span class="sure-words"></span><div class="chips"><button type="button" class="pill danger yes"></button><button type="button" class="pill no" data-t="st_no"></button></div></div>`;
    const row = { item, one };
    item.querySelector(".cancel").addEventListener("click", () => {
      const act = () => this.cancel(row.one);
      if (!this.about.sure) return act();
      tts.label(item);
      return confirmed(item.querySelector(".sure"), tts.t("st_sure_cancel", { name: row.one.caller }), act, tts.t("st_yes"));
    });
    return row;
  }

  fill({ item, one }) {
    const $ = (selector) => item.querySelector(selector), name = one.request ?? one.id, button = $(".cancel");
    $(".caller").textContent = one.caller ?? "";
    $(".request-id").textContent = name;
    $(".request-state").textContent = this.words(one);
    const progress = $("progress");
    progress.value = one.segments ? one.spoken / one.segments : 0;
    progress.setAttribute("aria-label", tts.t("st_progress", { done: one.spoken, total: one.segments }));
    button.textContent = tts.t("st_cancel");
    button.setAttribute("aria-label", tts.t("st_cancel_label", { name }));
  }

  words(one) {
    const place = one.position ? tts.t("st_ahead", { n: one.position }) : tts.t("st_next");
    const eta = one.eta == null ? "" : tts.t("st_eta", { time: long(one.eta) });
    const state = one.state === "queued" ? [place, eta] : [tts.t("st_progress", { done: one.spoken, total: one.segments })];
    const size = tts.t("st_characters", { n: one.characters }), background = one.background ? tts.t("st_background") : "";
    return [...state, size, tts.t("st_since", { time: long(one.age) }), background].filter(Boolean).join(" · ");
  }

  async cancel(one) {
    try {
      await asked(this.about.cancel(one), "DELETE");
      told(this.card, "st_cancelled");
    } catch (error) {
      if (error.status === 404) told(this.card, ""); // it has ended by itself
      else complained(this.card, error);
    }
    await this.ask().catch(() => {});
  }
}
