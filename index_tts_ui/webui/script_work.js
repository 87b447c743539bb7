// What is done with the script at hand: its job is made, followed, changed, opened again, left.
async function run(action, what = "sending") {
  if (busy) return;
  busy = what;
  show();
  try {
    await action();
    complain(null);
  } catch (error) { complain(error); }
  busy = "";
  show();
}

async function go() {
  const changes = sheet.changes();
  if (sheet.job && changes.length) return run(() => remake(changes));
  if (sheet.job?.segments_failed) return run(() => again({}));
  return run(async () => {
    const { body } = sheet;
    let job;
    try {
      job = await jobs.make(body);
    } catch (error) {
      throw (await mend(body)) ? { key: "script_refused" } : error;
    }
    for (const row of sheet.rows) Object.assign(row, { parts: null, changed: false, problems: [], over: 0, fitted: 1 });
    attach(job);
    shelf.load();
  });
}

// Marks the lines that the server refuses; how many they are.
async function mend(body) {
  const { data, problems: count } = await jobs.read(body).catch(() => ({ data: [], problems: 0 }));
  data.forEach(({ problems = [] }, index) => { sheet.rows[index].problems = problems; });
  list.refresh();
  return count;
}

async function remake(rows) {
  for (const row of rows) {
    const { voice, emotion, speed, language } = sheet.take(row), line = sheet.rows.indexOf(row) + 1;
    const body = { line, text: row.text, voice, speed, language };
    if (tts.data.can.emotion) body.emotion = emotion || "neutral";
    if (row.seed !== undefined && row.seed !== "") body.seed = row.seed;
    try {
      sheet.job = await jobs.act(sheet.job.id, "retry", body);
    } catch (error) {
      if (error.message) row.problems = [error];
      throw error;
    }
    Object.assign(row, { parts: null, changed: false, problems: [] });
  }
  attach(sheet.job);
}

async function again(body) {
  const row = sheet.rows[body.line - 1];
  sheet.job = await jobs.act(sheet.job.id, "retry", body);
  if (row) row.parts = null;
  attach(sheet.job);
}

function attach(job) {
  sheet.job = job;
  shelf.current = job?.id ?? null;
  away = false;
  follower.stop();
  if (job && UNFINISHED.includes(job.state)) follower.follow(job.id);
  cast.show();
  list.refresh();
  sheet.keep();
}

async function openJob(id) {
  await run(async () => {
    const job = await jobs.get(id), pages = await jobs.lines(id);
    player.stop();
    await voices();
    sheet.open(job, pages);
    sheet.restoreChanges();
    attach(job);
    built();
    shelf.show();
  }, "reading");
}

const lineOf = (segment) => sheet.rows[segment.line - 1];

function jobTold(type, data) {
  away = type === "away";
  if (type === "gone") return jobRemoved(sheet.job?.id);
  if (type === "segments") return take(data.segments);
  if (data) sheet.job = data;
  if (type === "ended") ended();
  showSoon();
}

// Progress comes several times a second: nobody reads that fast.
let due = 0;
function showSoon() {
  due ||= setTimeout(() => { due = 0; show(); }, SHOW_MS);
}

function take(segments) {
  const rows = new Set();
  for (const segment of segments) {
    const row = lineOf(segment);
    if (!row || row.changed) continue;
    row.parts ??= new Map();
    row.parts.set(segment.segment, segment);
    rows.add(segment.line - 1);
  }
  if (rows.size > 50) list.refresh();
  else rows.forEach((index) => list.touch(index));
  player.poke();
}

// What does not come as it goes: how a line was fitted, and what of it is too long all the same.
async function ended() {
  const { id } = sheet.job;
  shelf.load();
  const pages = await jobs.lines(id).catch(() => []);
  if (sheet.job?.id !== id) return;
  for (const line of pages.flatMap((page) => page.data)) {
    const row = lineOf(line);
    if (row && !row.changed) sheet.tell(row, line);
  }
  list.refresh();
  show();
}

function jobRemoved(id) {
  if (!id || sheet.job?.id !== id) return;
  player.stop();
  detach();
}

// The same lines, without the job that spoke them.
function detach() {
  player.stop();
  for (const row of sheet.rows) Object.assign(row, { parts: null, changed: false, over: 0, fitted: 1 });
  attach(null);
  shelf.show();
  show();
}

// Leaves the script at hand for another; what would be lost by that is asked for first.
let instead = null;
function leave(action) {
  if (!sheet.rows.length || (sheet.job && !sheet.changes().length)) return action();
  instead = action;
  $(".script-sure").hidden = false;
  $(".script-sure .no").focus();
}

function fresh() {
  player.stop();
  follower.stop();
  sheet.clear();
  sheet.source = "";
  attach(null);
  built();
  shelf.show();
  show();
  $("#script-source").focus();
}
