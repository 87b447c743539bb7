// The service's state in the header: asks v1/status every few seconds, slower while the server is away.
const { tts } = window;
const READY_MS = 5000, BUSY_MS = 1500, AWAY_MS = 1000, AWAY_MAX_MS = 10000, ANSWER_MS = 8000;
const pill = element.querySelector(".badge"), words = element.querySelector(".badge-text");
let status = { state: "connecting" }, misses = 0, timer = 0, asking = null;

const WORDS = {
  connecting: () => tts.t("badge_connecting"),
  gone: () => tts.t("badge_gone"),
  ready: (s) => {
    const others = s.waiting - (document.body.dataset.job === "busy" ? 1 : 0); // ours is no news
    return others > 0 ? tts.t("badge_waiting", { n: others }) : tts.t("badge_ready");
  },
  loading: (s) => tts.t("badge_loading", { p: Math.round(100 * (s.fraction || 0)) }),
  asleep: () => tts.t("badge_asleep"),
  waking: (s) => tts.t("badge_loading", { p: Math.round(100 * (s.fraction || 0)) }),
  restarting: () => tts.t("badge_restarting"),
  draining: () => tts.t("badge_draining"),
  down: () => tts.t("badge_down"),
  backup: () => tts.t("badge_backup"),
};

function show() {
  const state = status.stands_in ? "backup" : status.state in WORDS ? status.state : "connecting";
  pill.dataset.state = state;
  pill.style.setProperty("--part", ["loading", "waking"].includes(state) ? status.fraction || 0 : 1);
  const text = WORDS[state](status);
  if (words.textContent !== text) words.textContent = text;
  pill.title = tts.t("hint_" + state);
  document.body.dataset.server = state;
}

function take(next) {
  status = next;
  show();
  tts.status = next;
  tts.emit("status", next);
}

// Resolves to whether the server answered.
const ask = () => (asking ??= look().finally(() => { asking = null; }));

async function look() {
  try {
    const answer = await fetch(tts.url("v1/status"), { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
    if (!answer.ok) throw new Error(String(answer.status));
    misses = 0;
    take(await answer.json());
  } catch {
    misses += 1;
    take({ state: misses > 1 || status.state === "gone" ? "gone" : status.state });
  }
  clearTimeout(timer);
  if (element.isConnected && !document.hidden) timer = setTimeout(ask, pace());
  return !misses;
}

function pace() {
  if (misses) return Math.min(AWAY_MAX_MS, AWAY_MS * 2 ** (misses - 1));
  return status.state === "ready" ? READY_MS : BUSY_MS;
}

tts.ask = ask;
document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
window.addEventListener("online", ask);
// The other language, named in itself: who needs it can read it.
const OTHER = { "zh-CN": ["en", "English"], en: ["zh-CN", "中文"] };
function translate() {
  const [code, name] = OTHER[tts.lang()], label = element.querySelector(".lang span");
  Object.assign(label, { textContent: name, lang: code });
  tts.label(element);
  if (tts.person) element.querySelector(".sign-out").title = tts.t("signed_in_as", { name: tts.person });
  show();
}
element.querySelector(".lang").addEventListener("click", () => tts.setLang(OTHER[tts.lang()][0]));
tts.addEventListener("lang", translate);
// Who this is, to the server; whoever signed in can sign out.
const leave = element.querySelector(".sign-out");
leave.action = tts.url("logout");
tts.me = fetch(tts.url("v1/me"), { cache: "no-store" }).then((answer) => (answer.ok ? answer.json() : {}), () => ({}));
tts.me.then((me) => {
  leave.hidden = !me.signed_in;
  tts.person = me.name ?? "";
  translate();
});
translate();
ask();
