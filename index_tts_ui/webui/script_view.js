// What is seen of the script at hand. Nothing is decided here.
function makeRow() {
  const row = document.createElement("div");
  row.className = "row";
  row.setAttribute("role", "listitem");
  row.innerHTML = `<button type="button" class="round play"></button>
    <button type="button" class="say"><span class="meta"><span class="num"></span><i class="dot" aria-hidden="true"></i><span class="who"></span><span class="own" data-noi18n></span></span>
      <span class="text" data-noi18n></span><span class="why"></span></button>
    <span class="state"></span><button type="button" class="round onward">${SCRIPT_ICONS.onward}</button>`;
  return row;
}

function fillRow(element, index) {
  const row = sheet.rows[index], part = (selector) => element.querySelector(selector), n = index + 1;
  const state = sheet.state(row), sounds = sheet.sounds(row), plays = index === lit;
  element.dataset.state = row.problems.length ? "bad" : state;
  element.classList.toggle("on", plays);
  element.toggleAttribute("aria-current", plays);
  part(".num").textContent = n;
  part(".who").textContent = row.speaker || tts.t("script_narrator");
  part(".who").toggleAttribute("data-noi18n", Boolean(row.speaker));
  part(".dot").classList.toggle("narrator", !row.speaker);
  part(".dot").style.setProperty("--hue", row.speaker ? Cast.hue(sheet.order(row.speaker)) : "");
  part(".own").textContent = own(row);
  part(".text").textContent = row.text;
  const [error] = row.problems.length ? row.problems : failures(row);
  part(".why").textContent = error ? told(error) : "";
  part(".state").textContent = stateWords(row, state);
  part(".state").title = row.fitted > 1 ? tts.t("script_fitted", { n: row.fitted.toFixed(2) }) : "";
  part(".state").classList.toggle("over", state === "done" && row.over > 0);
  part(".play").innerHTML = plays ? SCRIPT_ICONS.stop : SCRIPT_ICONS.play;
  part(".play").setAttribute("aria-label", tts.t(plays ? "script_stop_line" : "script_play_line", { n }));
  part(".play").disabled = !sounds && !plays;
  part(".onward").setAttribute("aria-label", tts.t("script_onward", { n }));
  part(".onward").disabled = !sounds;
}

const failures = (row) => [...(row.parts?.values() ?? [])].map(({ error }) => error).filter(Boolean);

// What it says otherwise than its speaker, and its slot.
function own({ voice, emotion, speed, language, seed, start, end }) {
  const named = voice && (tts.library.find(voice)?.name ?? voice);
  const felt = tts.feelings.words(emotion === "neutral" ? "" : emotion);
  const slot = start || start === 0 ? `${tts.clock(start)}${end ? `–${tts.clock(end)}` : ""}` : "";
  return [slot, named, felt, speed && `${speed}×`, language, seed !== undefined && seed !== null && seed !== "" && `#${seed}`].filter(Boolean).join(" · ");
}

function stateWords(row, state) {
  if (row.problems.length) return "!";
  if (state === "done" && row.over > 0) return tts.t("script_over", { n: row.over.toFixed(1) });
  if (state === "done") return sheet.seconds(row) ? tts.t("seconds", { n: sheet.seconds(row).toFixed(1) }) : "–";
  return { failed: "!", changed: tts.t("script_changed"), making: tts.t("script_making"), waiting: tts.t("script_waiting") }[state] ?? "";
}

function built() {
  $(".sheet").dataset.view = sheet.rows.length ? "lines" : "source";
  if (!sheet.rows.length) $("#script-source").value = sheet.source; // a long text takes long to be laid out
  $(".title").value = sheet.title;
  $(".gap-ms").value = sheet.gap ?? "";
  $(".fit-on").checked = sheet.fit;
  $(".script-sure").hidden = true;
  list.box.scrollTop = 0;
  list.resize(sheet.rows.length);
  cast.show();
}

const say = (box, text) => { if (box.textContent !== text) box.textContent = text; };

function complain(error) {
  problem = error;
  show();
}

function show() {
  const { rows, job } = sheet, notice = $(".script-notice");
  const text = problem ? (problem.key ? tts.t(problem.key, problem) : told(problem)) : sheet.draft.large ? tts.t("script_draft_large") : "";
  say(notice, text);
  notice.hidden = !text;
  $(".script-columns").dataset.busy = busy;
  $(".aside .cast").hidden = !rows.length;
  say($(".read"), tts.t(busy === "reading" ? "script_reading" : "script_read"));
  $(".read").disabled = Boolean(busy);
  const tally = sheet.tally;
  showAbout(rows, tally.bad);
  showRun(job, tally);
  showJob(job, tally);
  $(".fit").hidden = !sheet.slots;
  say($(".fit-words"), tts.t("script_fit", { n: FIT }));
  for (const control of [$(".gap-ms"), $(".fit-on")]) control.disabled = Boolean(job);
  $(".add").hidden = Boolean(job);
}

function showAbout(rows, bad) {
  const facts = [tts.t("script_lines", { n: rows.length }), tts.t("script_speakers", { n: sheet.names.length + (sheet.narrator?.lines ? 1 : 0) }), tts.t("count", { n: sheet.characters ?? 0 })];
  say($(".about-words"), facts.join(" · "));
  say($(".bad-lines"), bad ? tts.t("script_bad", { n: bad }) : "");
  $(".bad-lines").hidden = !bad;
}

function showRun(job, { changed: changes, failed }) {
  const runs = job && UNFINISHED.includes(job.state), key = !job ? "script_go" : changes ? "script_go_changed" : "script_go_failed";
  say($(".go"), busy === "sending" ? tts.t("script_sending") : tts.t(key, { n: changes || failed }));
  $(".go").hidden = Boolean(job) && (job.state === "cancelled" || (!changes && (runs || !failed)));
  $(".go").disabled = Boolean(busy);
  $(".hold").hidden = !runs;
  say($(".hold"), tts.t(job?.state === "paused" ? "script_resume" : "script_pause"));
  $(".stop-job").hidden = !runs;
  $(".detach").hidden = !job || runs;
  $(".play-all").hidden = !job?.audio_seconds;
  say($(".play-all"), tts.t(player.current >= 0 ? "script_play_stop" : "script_play_all"));
}

function showJob(job, { done }) {
  $(".job").hidden = !job;
  $(".save").hidden = !job?.audio_seconds;
  if (!job) return;
  const runs = UNFINISHED.includes(job.state);
  $(".bar").style.setProperty("--part", job.progress);
  const words = [tts.t(`script_state_${away ? "away" : job.state}`)];
  if (runs) words.push(tts.t("script_progress", { done, total: sheet.rows.length }));
  if (runs && job.eta) words.push(tts.t("script_eta", { time: tts.duration(job.eta) }));
  if (job.audio_seconds) words.push(tts.clock(job.audio_seconds));
  if (job.error) words.push(told(job.error));
  say($(".job-words"), words.join(" · "));
  if (heard !== `${job.id} ${job.state}`) say($(".unheard"), words[0]); // each figure read aloud would be too much
  heard = `${job.id} ${job.state}`;
  const partial = ["done", "failed"].includes(job.state) ? "" : "&partial=true", format = $(".format").value;
  for (const link of element.querySelectorAll("[data-file]")) {
    const { file } = link.dataset, text = ["srt", "vtt"].includes(file);
    link.href = jobs.url(job.id, `${text ? "subtitles" : file}?format=${text ? file : format}${partial}`);
  }
}
