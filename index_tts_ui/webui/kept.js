// A sound that the server keeps: opened by its id, stitched anew when a segment's take changes.
const OUTPUT = "tts.output"; // of this tab, for when the page is loaded anew
const editable = () => Boolean(job.id && sound.length && job.yours !== false && !busy() && job.phase !== "opening");

function remember() {
  try { sessionStorage.setItem(OUTPUT, JSON.stringify([job.id, job.request])); } catch { /* storage is off */ }
}

// Shows a kept sound with its segments, from the beginning and silent; resolves to whether it is there.
async function open(id, request = null) {
  reset({ phase: "opening", id, request, again: true });
  const mine = job, me = run;
  view = "sound";
  show();
  try {
    const { segments, yours } = await new Takes(id).list();
    mine.kept = segments.map((kept) => ({ text: kept.text, key: keyOf(kept) }));
    mine.yours = yours;
  } catch (error) {
    if (me !== run) return false;
    if (error.code !== "output_unfinished") { fail(error); return false; }
    job.phase = "queued";
  }
  if (me !== run) return false;
  remember();
  await follow(mine, me);
  return me === run;
}

// What this tab had before the page was loaded anew; the text area, which brings the preview, goes first.
async function reopen() {
  let kept = null;
  try { kept = JSON.parse(sessionStorage.getItem(OUTPUT)); } catch { /* not ours */ }
  if (!kept) return;
  await tts.present("#text textarea");
  if (job.phase !== "idle" || await open(...kept) || job.error?.code !== "output_not_found") return;
  sessionStorage.removeItem(OUTPUT);
  reset({});
  show();
}

const chosenOf = (kept) => kept.takes.find(({ take }) => take === kept.chosen);
const keyOf = (kept) => { const take = chosenOf(kept); return take && `${take.take}@${take.created}`; };

// Lets the sound follow what the server tells of segments: other takes are fetched, the rest stays as it is.
async function take(told) {
  const mine = job, fetched = [];
  for (const kept of told) {
    const segment = mine.segments[kept.index], key = keyOf(kept);
    if (segment.whole && !segment.key && chosenOf(kept)?.original) segment.key = key; // as it was spoken
    if (key ? segment.key === key : !segment.blocks.length) continue;
    const blocks = !key ? [] : segment.sounds[key] ?? [await new Takes(mine.id).sound(kept.index, kept.chosen)];
    fetched.push([segment, kept, key, blocks]);
  }
  if (job !== mine || !fetched.length) return;
  for (const [segment, { index, text }, key, blocks] of fetched) {
    if (segment.key) segment.sounds[segment.key] = segment.blocks;
    Object.assign(segment, { text, key, blocks, whole: Boolean(key) });
    list.say(index, text);
  }
  const [first] = fetched, last = mine.segments.findLast(samplesOf);
  if (fetched.length === 1 && first[0] === last && first[0].start === undefined) append(last);
  else stitch();
  if (mine.segments.every(samplesOf)) Object.assign(mine, { phase: "done", error: null });
  show();
}

// Behind all there is: what plays goes on.
function append(segment) {
  Object.assign(segment, { start: sound.duration, seconds: samplesOf(segment) / sound.rate });
  for (const samples of segment.blocks) { sound.push(samples, sound.rate); wave.push(samples, sound.rate); }
}

const samplesOf = ({ blocks }) => blocks.reduce((sum, { length }) => sum + length, 0);

function stitch() {
  let at = 0;
  for (const segment of job.segments) {
    const length = samplesOf(segment);
    Object.assign(segment, { start: length ? at / sound.rate : undefined, seconds: length / sound.rate });
    at += length;
  }
  const blocks = job.segments.flatMap((segment) => segment.blocks);
  sound.refill(blocks);
  wave.clear();
  for (const samples of blocks) wave.push(samples, sound.rate);
}

const lacking = () => editable() && ["failed", "stopped"].includes(job.phase) && !job.segments.every(samplesOf);

// Speaks what is missing, as the rest was asked for, until all is there, or something goes wrong.
async function complete() {
  const mine = job, takes = new Takes(mine.id), asked = stream = new AbortController();
  repair.close(false);
  Object.assign(mine, { phase: "mending", request: null, error: null });
  show();
  try {
    const { segments } = await takes.list(10);
    await take(segments);
    const seed = segments.flatMap((kept) => kept.takes)[0]?.seed;
    for (const { index } of segments.filter((kept) => !kept.takes.length)) {
      if (job === mine && mine.phase === "mending") await take([await takes.again(index, { seed }, asked.signal)]);
    }
  } catch (error) {
    if (job === mine && error) fail(error);
  }
}

// One segment alone.
function hear(i) {
  const before = job.segments.slice(0, i).reduce((sum, segment) => sum + samplesOf(segment), 0), length = samplesOf(job.segments[i]);
  if (length) sound.play(before / sound.rate, (before + length) / sound.rate);
  show();
}
