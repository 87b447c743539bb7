// The engine and what stands by for it: a tile for each of their processes, from v1/status.
const STATES = ["loading", "ready", "restarting", "asleep", "waking", "down"];

function fact(label, value) {
  const item = make("div", "fact"), number = make("dd", "", value);
  number.dataset.noi18n = "";
  item.append(make("dt", "", tts.t(label)), number);
  return item;
}

function tile(backend, worker, role) {
  const item = make("article", "worker"), head = make("div", "worker-head"), name = make("b", "", backend.engine);
  const state = STATES.includes(worker.state) ? worker.state : "loading";
  const pill = make("span", "state", tts.t(`st_state_${state}`));
  item.dataset.state = pill.dataset.state = state;
  name.dataset.noi18n = "";
  head.append(name, make("span", "on-device", tts.t("st_on_device", { device: worker.device })), pill);
  item.append(head);
  if (role) item.append(make("p", "hint", tts.t(role)));
  if (state === "loading" || state === "waking") item.append(...bar(worker));
  const facts = make("dl", "facts"), { resident_mb: memory, device_mb: device } = worker.stats;
  facts.append(fact("st_memory", megabytes(memory)));
  if (device != null) facts.append(fact("st_device_memory", megabytes(device)));
  facts.append(fact("st_at_work", tts.t("st_segments", { n: worker.running })), fact("st_restarts", String(worker.restarts)));
  item.append(facts);
  if (backend.breaker === "open") item.append(make("p", "hint bad", tts.t("st_breaker_open", { time: long(backend.rest) })));
  if (backend.breaker === "half-open") item.append(make("p", "hint", tts.t("st_breaker_half")));
  if (worker.reason) {
    const reason = make("p", "hint bad", tts.t("st_reason", { reason: worker.reason }));
    item.append(reason);
  }
  return item;
}

function bar(worker) {
  const part = worker.fraction || 0, words = tts.t("st_loading_part", { p: Math.round(part * 100) });
  const progress = Object.assign(make("progress", "loading"), { max: 1, value: part });
  progress.setAttribute("aria-label", words);
  const text = make("p", "hint", words);
  if (worker.text) {
    const doing = make("span", "doing", ` · ${worker.text}`); // the worker's own words, in English
    doing.dataset.noi18n = "";
    text.append(doing);
  }
  return [progress, text];
}

function showEngines(root, status) {
  if (!status?.backends) return;
  const [main, ...others] = status.backends;
  const tiles = main.workers.map((worker) => tile(main, worker, ""));
  for (const backup of others) {
    const role = status.stands_in ? "st_speaks_now" : "st_standby";
    tiles.push(...backup.workers.map((worker) => tile(backup, { ...worker, state: worker.state === "loading" && backup.state === "asleep" ? "asleep" : worker.state }, role)));
  }
  root.querySelector(".engines").replaceChildren(...tiles);
  root.querySelector(".queue-words").textContent = tts.t("st_queue_line", { n: status.waiting, limit: status.max_waiting });
  root.querySelector(".queue progress").value = status.waiting / status.max_waiting;
}
