// The live page: sound from the microphone or a file goes to /stream, results come back and are drawn.
import { Columns, drawMel, drawScores, drawWave } from "/sound.js";

const SPAN_S = 20;       // that the pictures show of live sound
const KEPT_S = 600;      // of sound that can be saved
const ROWS = 2000;       // of results that are kept
const PIECE = 16384;     // samples that are sent at a time of a file
const BUFFERED = 1 << 20;  // bytes that may wait in the browser

// Okabe and Ito's colours, which people tell apart with any kind of colour vision.
const COLOURS = ["#d55e00", "#56b4e9", "#009e73", "#cc79a7", "#e69f00", "#7f7f7f", "#0072b2", "#b8a800"];

const $ = (id) => document.getElementById(id);
const percent = (share) => `${(100 * share).toFixed(0)}\u00a0%`;

let info = null;
let colours = [];
let run = null;  // what is heard now, or was last

function say(text) {
  if ($("status").textContent !== text) $("status").textContent = text;
}
function problem(text) {
  $("problem").hidden = !text;
  $("problem").textContent = text || "";
}

// ---- one run: samples to the server, results back

class Run {
  constructor(rate, live, seconds) {
    this.rate = rate;
    this.live = live;
    this.columns = new Columns(rate, live ? SPAN_S : Math.max(1, seconds));
    this.seconds = seconds;
    this.pieces = [];
    this.kept = 0;
    this.waiting = [];  // samples that come before the server is ready
    this.results = [];
    this.hop_s = Number($("hop").value);
    this.closed = false;
    this.started = false;
    this.finished = new Promise((resolve) => { this.resolve = resolve; });
  }

  open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.socket = new WebSocket(`${scheme}://${location.host}/stream`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.socket.send(JSON.stringify({
      type: "start", rate: this.rate, encoding: "f32le", channels: 1, window_s: Number($("window").value),
      hop_s: this.hop_s, smoothing: Number($("smoothing").value), live: this.live }));
    this.socket.onmessage = (event) => this.hear(JSON.parse(event.data));
    this.socket.onclose = () => {
      if (!this.closed && !this.told) problem("The server closed the connection. It may be full; try again in a moment.");
      this.closed = true;
      this.resolve();
      if (run === this) stopped();
    };
  }

  hear(message) {
    if (message.type === "started") {
      this.started = true;
      for (const piece of this.waiting.splice(0)) this.socket.send(piece);
      if (this.ending) this.end();
    } else if (message.type === "result") {
      message.before_s = this.results.length > 0 ? this.results[this.results.length - 1].end_s : 0;
      this.results.push(message);
      if (this.results.length > ROWS) this.results.shift();
      if (run === this) showResult(message);
    } else if (message.type === "done") {
      this.closed = true;
    } else if (message.error) {
      this.told = true;
      problem(message.type === "overloaded" ? `The server cannot keep up: ${message.error}.` : message.error);
    }
  }

  give(samples) {
    if (this.closed) return;
    this.columns.push(samples);
    this.pieces.push(samples);
    this.kept += samples.length;
    while (this.kept - this.pieces[0].length > KEPT_S * this.rate) this.kept -= this.pieces.shift().length;
    if (this.started) this.socket.send(samples); else this.waiting.push(samples);
    redraw();
  }

  end() {
    this.ending = true;
    if (this.started && this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ type: "end" }));
  }

  samples() {
    const out = new Float32Array(this.kept);
    let at = 0;
    for (const piece of this.pieces) {
      out.set(piece, at);
      at += piece.length;
    }
    return out;
  }

  view() {
    if (!this.live) return { begin_s: 0, end_s: Math.max(1, this.seconds) };
    const end = Math.max(SPAN_S, this.columns.seconds());
    return { begin_s: end - SPAN_S, end_s: end };
  }
}

// ---- the microphone

let microphone = null;

async function startRecording() {
  forget();
  say("Asking for the microphone");
  $("record").disabled = true;
  try {
    const media = await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
    let context = new AudioContext({ sampleRate: info.sample_rate_hz });
    let source;
    try {
      source = context.createMediaStreamSource(media);
    } catch {  // a browser that does not resample its microphone
      context = new AudioContext();
      source = context.createMediaStreamSource(media);
    }
    await context.audioWorklet.addModule("/capture.js");
    const capture = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0 });
    begin(new Run(context.sampleRate, true, 0));
    const mine = run;
    capture.port.onmessage = (event) => { if (!mine.ending) mine.give(event.data); };
    source.connect(capture);
    await context.resume();
    microphone = { media, context };
    $("record").classList.add("on");
    $("record-text").textContent = "Stop";
    say("Recording");
  } catch (error) {
    const why = error.name === "NotAllowedError" ? "The browser was not allowed to use the microphone."
      : error.name === "NotFoundError" ? "There is no microphone." : `The microphone cannot be used: ${error.message}`;
    problem(navigator.mediaDevices ? why : "Browsers give the microphone to https pages and to localhost alone.");
    say("");
  }
  $("record").disabled = false;
}

function stopRecording() {
  if (!microphone) return;
  for (const track of microphone.media.getTracks()) track.stop();
  microphone.context.close();
  microphone = null;
  $("record").classList.remove("on");
  $("record-text").textContent = "Record";
  say("Scoring what is left");
  run.end();
}

// ---- files

async function openFile(file) {
  stopRecording();
  forget();
  say(`Reading ${file.name}`);
  if (file.size > info.limits.max_body_mib * 1048576) {
    problem(`${file.name} is larger than the ${info.limits.max_body_mib} MiB that this server takes.`);
    return say("");
  }
  const bytes = await file.arrayBuffer();
  const whole = wholeFile(file, bytes.slice(0));
  let sound = null;
  try {
    sound = await new OfflineAudioContext(1, 1, info.sample_rate_hz).decodeAudioData(bytes);
  } catch {
    say("This browser cannot draw this kind of file; the server scores it all the same.");
  }
  if (sound) await followFile(file, sound);
  await whole;
}

// The scores of the recording as a whole, decoded by the server.
async function wholeFile(file, bytes) {
  const answer = await fetch("/predict", { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: bytes });
  const said = await answer.json();
  if (!answer.ok) return problem(`${file.name}: ${said.error}`);
  showWhole(file, said);
}

// Scores over time, of the samples that the browser decoded.
async function followFile(file, sound) {
  const samples = new Float32Array(sound.length);
  for (let c = 0; c < sound.numberOfChannels; ++c) {
    const channel = sound.getChannelData(c);
    for (let i = 0; i < samples.length; ++i) samples[i] += channel[i] / sound.numberOfChannels;
  }
  begin(new Run(info.sample_rate_hz, false, sound.duration));
  const mine = run;
  for (let at = 0; at < samples.length && !mine.closed; at += PIECE) {
    mine.give(samples.slice(at, at + PIECE));
    do await new Promise((resolve) => setTimeout(resolve)); while (mine.socket.bufferedAmount > BUFFERED && !mine.closed);
  }
  mine.end();
  await mine.finished;
  if (mine.results.length === 0 && !mine.told) say(`${file.name} is shorter than half a second: no scores over time`);
}

// ---- what is shown

let whole = null;

function forget() {
  whole = null;
  $("whole").hidden = true;
  $("now-title").textContent = "Now";
  problem("");
}

function begin(next) {
  if (run && !run.closed) run.end();
  run = next;
  $("rows").replaceChildren();
  $("save").disabled = false;
  if (!whole) {
    $("label").textContent = "–";
    $("confidence").textContent = "";
    showBars(null);
  }
  run.open();
  redraw();
}

function stopped() {
  if (microphone) stopRecording();
  say(run.results.length > 0 ? `Done: ${run.results.length} results of ${run.columns.seconds().toFixed(1)} s` : "Done");
  redraw();
}

function showBars(probabilities) {
  const best = probabilities ? Math.max(...Object.values(probabilities)) : 2;
  info.classes.forEach((name, k) => {
    const score = probabilities ? probabilities[name] : 0, bar = $("bars").children[k];
    bar.classList.toggle("best", score === best);
    bar.querySelector(".fill").style.width = `${100 * score}%`;
    bar.querySelector(".value").textContent = probabilities ? percent(score) : "";
  });
  $("bars").setAttribute("aria-label", probabilities
    ? `Scores: ${info.classes.map((name) => `${name} ${percent(probabilities[name])}`).join(", ")}` : "No scores yet");
}

function showResult(result) {
  const label = result.silent ? "silent" : result.error ? "not scored" : result.label || "unsure";
  if (!whole) {
    $("label").textContent = label;
    $("confidence").textContent = result.probabilities ? percent(result.confidence) : "";
    showBars(result.probabilities || null);
  }
  if (microphone) say(result.behind_s > 1 ? `Recording. The server is ${result.behind_s.toFixed(1)} s behind` : `Recording. Most like: ${label}`);
  const row = document.createElement("tr");
  const cells = [result.begin_s.toFixed(2), result.end_s.toFixed(2), result.error || label];
  if (result.probabilities) cells.push(...info.classes.map((name) => result.probabilities[name].toFixed(3)));
  for (const text of cells) row.append(Object.assign(document.createElement("td"), { textContent: text }));
  $("rows").append(row);
  if ($("rows").children.length > ROWS) $("rows").firstElementChild.remove();
  redraw();
}

function showWhole(file, said) {
  whole = said;
  $("whole").hidden = false;
  $("whole").textContent = `${file.name}, ${said.seconds.toFixed(2)} s of sound`;
  showAsWhole();
}

function showAsWhole() {
  $("now-title").textContent = "The whole recording";
  $("label").textContent = whole.label;
  $("confidence").textContent = percent(whole.confidence);
  showBars(whole.probabilities);
}

let drawing = false;
function redraw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    const view = run ? run.view() : { begin_s: 0, end_s: SPAN_S };
    drawWave($("wave"), run && run.columns, view);
    drawMel($("mel"), run && run.columns, view);
    drawScores($("scores"), run ? run.results : [], info.classes, colours, view, run ? run.hop_s : 1);
  });
}

// 16-bit WAV of the samples that were sent.
function save() {
  const samples = run.samples(), bytes = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at, word) => [...word].forEach((c, i) => bytes.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF");
  bytes.setUint32(4, 36 + 2 * samples.length, true);
  text(8, "WAVEfmt ");
  [[16, 16, 4], [20, 1, 2], [22, 1, 2], [24, run.rate, 4], [28, 2 * run.rate, 4], [32, 2, 2], [34, 16, 2]]
    .forEach(([at, value, size]) => size === 4 ? bytes.setUint32(at, value, true) : bytes.setUint16(at, value, true));
  text(36, "data");
  bytes.setUint32(40, 2 * samples.length, true);
  samples.forEach((s, i) => bytes.setInt16(44 + 2 * i, Math.round(Math.min(32767, Math.max(-32768, s * 32768))), true));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes], { type: "audio/wav" }));
  link.download = "serval.wav";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function prepare() {
  document.title = `${info.name} · Serval`;
  $("name").textContent = info.name;
  $("facts").textContent = `${info.classes.length} classes · ${info.sample_rate_hz / 1000} kHz · Serval ${info.version}`;
  for (const stamp of info.stamps) $("stamps").append(Object.assign(document.createElement("li"), { textContent: stamp }));
  $("stamps").hidden = info.stamps.length === 0;
  colours = info.classes.map((_, k) => COLOURS[k % COLOURS.length]);
  info.classes.forEach((name, k) => {
    const bar = document.createElement("div");
    bar.className = "bar";
    for (const part of ["name", "track", "value"]) bar.append(Object.assign(document.createElement("span"), { className: part }));
    bar.children[0].textContent = name;
    const fill = Object.assign(document.createElement("div"), { className: "fill" });
    fill.style.background = colours[k];
    bar.children[1].append(fill);
    $("bars").append(bar);
    $("heads").append(Object.assign(document.createElement("th"), { scope: "col", textContent: name }));
  });
  for (const option of $("window").options) option.disabled = Number(option.value) > info.limits.max_window_s;
  for (const option of $("hop").options) option.disabled = Number(option.value) < info.limits.min_hop_s;
  $("record").disabled = $("file").disabled = false;
  $("record").onclick = () => (microphone ? stopRecording() : startRecording());
  $("save").onclick = save;
  $("file").onchange = () => {
    if ($("file").files.length > 0) openFile($("file").files[0]).catch((error) => problem(error.message));
    $("file").value = "";
  };
  document.ondragover = (event) => { event.preventDefault(); $("drop").classList.add("over"); };
  document.ondragleave = () => $("drop").classList.remove("over");
  document.ondrop = (event) => {
    event.preventDefault();
    $("drop").classList.remove("over");
    if (event.dataTransfer.files.length > 0) openFile(event.dataTransfer.files[0]).catch((error) => problem(error.message));
  };
  window.onresize = redraw;
  matchMedia("(prefers-color-scheme: dark)").onchange = redraw;
  say("Ready");
  redraw();
}

// For programs that drive the page: the samples that were sent, and what came back.
window.servalLive = {
  samples: () => (run ? run.samples() : new Float32Array()),
  rate: () => (run ? run.rate : 0),
  results: () => (run ? run.results : []),
  whole: () => whole,
  busy: () => run !== null && !run.closed,
};

try {
  info = await (await fetch("/info")).json();
  prepare();
} catch (error) {
  problem(`The server does not answer: ${error.message}`);
  say("");
}
