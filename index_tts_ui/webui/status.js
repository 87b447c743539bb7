// The Status tab: the parts, and how often each asks. Nobody is asked while the tab or the window is hidden.
const $ = (selector) => element.querySelector(selector);
const FIGURES_MS = 5000, REQUESTS_MS = 2000, ERRORS_MS = 10000, LOG_MS = 1000;

const plots = new Plots($(".figures"));
const mine = new Requests($(".mine-card"), { path: "v1/requests", cancel: (one) => `v1/requests/${encodeURIComponent(one.id)}` });
const parts = [plots, mine];
let log = null;

function show() {
  tts.label(element);
  showEngines($(".engine-card"), tts.status);
  parts.forEach((part) => part.show());
  log?.say();
}

async function admit() {
  const { roles } = await tts.me;
  if (!roles?.includes("admin")) return;
  element.querySelectorAll(".admin-only").forEach((part) => { part.hidden = false; });
  const all = new Requests($(".all-card"), { path: "v1/admin/requests", cancel: (one) => `v1/admin/requests/${encodeURIComponent(one.id)}`, sure: true });
  const errors = new Errors($(".errors-card"));
  log = new Log($(".log-card"));
  parts.push(all, errors);
  modelDeeds($(".engine-card"));
  log.say();
  every(REQUESTS_MS, () => all.ask());
  every(ERRORS_MS, () => errors.ask());
  awaited.push(() => log.look());
  setInterval(() => log.look(), LOG_MS);
}

tts.addEventListener("status", () => { if (looking()) showEngines($(".engine-card"), tts.status); });
tts.addEventListener("lang", show);
show();
every(FIGURES_MS, () => plots.ask());
every(REQUESTS_MS, () => tts.ask()); // the badge's look at v1/status, which is slower by itself
every(REQUESTS_MS, () => mine.ask());
admit();
