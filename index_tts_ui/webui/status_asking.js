// What the parts of the Status tab share: asking the API, only while somebody looks, and saying what went wrong.
const { tts } = window;

// Resolves to the answer's JSON; throws {key} of a sentence of the page, or {message} of the server's own.
async function asked(path, method = "GET") {
  let answer;
  try {
    answer = await fetch(tts.url(path), { method, cache: "no-store", headers: { "Accept-Language": tts.lang() }, signal: AbortSignal.timeout(10000) });
  } catch { throw { key: "error_away" }; }
  const body = await answer.json().catch(() => null);
  if (answer.ok) return body;
  throw body?.error?.message ? { message: body.error.message, status: answer.status } : { key: "error_refused", status: answer.status };
}

// The tab is looked at: it is the chosen one, in a window that is not hidden.
const looking = () => !document.hidden && element.isConnected && element.checkVisibility();
const awaited = [];
const looked = () => { if (looking()) awaited.forEach((ask) => ask()); };
document.addEventListener("visibilitychange", looked);
new IntersectionObserver((entries) => { if (entries.some((one) => one.isIntersecting)) looked(); }).observe(element);

// Calls ask() every so many milliseconds while somebody looks, and at once when somebody begins to.
function every(milliseconds, ask) {
  let busy = false, timer = 0;
  const round = async () => {
    if (busy) return;
    busy = true;
    clearTimeout(timer);
    try { if (looking()) await ask(); } catch { /* the badge says that the server is away */ }
    busy = false;
    timer = setTimeout(round, milliseconds);
  };
  awaited.push(round);
  round();
  return round;
}

// A card's two lines: what was done, and what went wrong.
function told(card, key) {
  card.querySelector(".problem").hidden = true;
  card.querySelector(".note").textContent = key ? tts.t(key) : "";
}
function complained(card, error) {
  card.querySelector(".note").textContent = "";
  Object.assign(card.querySelector(".problem"), { textContent: error.message ?? tts.t(error.key ?? "error_refused"), hidden: false });
}

const make = (tag, name = "", text = "") => Object.assign(document.createElement(tag), { className: name, textContent: text });
const long = (seconds) => tts.duration(seconds); // "12 s", "3 min"
const megabytes = (value) => (value == null ? "–" : value >= 1024 ? `${(value / 1024).toFixed(1)} GB` : `${Math.round(value)} MB`);

// The question before something that cannot be taken back; the answer is a click away, and Escape is No.
function confirmed(box, words, action, label) {
  box.querySelector(".sure-words").textContent = words;
  const yes = box.querySelector(".yes"), no = box.querySelector(".no"), back = document.activeElement;
  const close = () => { box.hidden = true; back?.focus?.(); };
  yes.textContent = label;
  yes.onclick = () => { close(); action(); };
  no.onclick = close;
  box.onkeydown = (event) => { if (event.key === "Escape") close(); };
  box.hidden = false;
  no.focus();
}
