// What is drawn of sound: its outline and mel spectrum in columns, and scores beneath them. For the eye alone; scores
// come from the server.

const MELS = 56;
const GUTTER = 74;
const AXIS = 20;

function fftInPlace(re, im) {
  const n = re.length;
  for (let i = 1, j = 0; i < n; ++i) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j], re[i]];
      [im[i], im[j]] = [im[j], im[i]];
    }
  }
  for (let size = 2; size <= n; size <<= 1) {
    const angle = -2 * Math.PI / size;
    for (let k = 0; k < size / 2; ++k) {
      const c = Math.cos(angle * k), s = Math.sin(angle * k);
      for (let at = k; at < n; at += size) {
        const to = at + size / 2;
        const x = re[to] * c - im[to] * s, y = re[to] * s + im[to] * c;
        re[to] = re[at] - x;
        im[to] = im[at] - y;
        re[at] += x;
        im[at] += y;
      }
    }
  }
}

const mel = (hz) => 2595 * Math.log10(1 + hz / 700);
const hertz = (m) => 700 * (10 ** (m / 2595) - 1);

// Columns of a sound, kept for the last `seconds`.
export class Columns {
  constructor(rate, seconds) {
    this.rate = rate;
    this.hop = Math.max(1, Math.round(Math.max(rate / 50, rate * seconds / 1200)));
    this.size = 2 ** Math.ceil(Math.log2(rate * 0.03));
    this.most = Math.ceil(seconds * rate / this.hop) + 1;
    this.first = 0;  // number of the first column that is kept
    this.list = [];
    this.tail = new Float32Array(this.size);
    this.fed = 0;
    this.low = 0;
    this.high = 0;
    this.loudest = -60;
    this.window = Float32Array.from({ length: this.size }, (_, i) => 0.5 - 0.5 * Math.cos(2 * Math.PI * i / this.size));
    const top = mel(Math.min(8000, rate / 2));
    this.edges = Array.from({ length: MELS + 2 }, (_, i) => hertz(top * i / (MELS + 1)) * this.size / rate);
    this.top_hz = Math.min(8000, rate / 2);
  }

  push(samples) {
    for (const sample of samples) {
      this.tail[this.fed % this.size] = sample;
      ++this.fed;
      this.low = Math.min(this.low, sample);
      this.high = Math.max(this.high, sample);
      if (this.fed % this.hop === 0) this.column();
    }
  }

  column() {
    const n = this.size, re = new Float32Array(n), im = new Float32Array(n);
    for (let i = 0; i < n; ++i) re[i] = this.tail[(this.fed + i) % n] * this.window[i];
    fftInPlace(re, im);
    const bands = new Float32Array(MELS);
    for (let m = 0; m < MELS; ++m) {
      const [a, b, c] = [this.edges[m], this.edges[m + 1], this.edges[m + 2]];
      let sum = 1e-9;
      for (let k = Math.floor(a); k <= Math.ceil(c) && k <= n / 2; ++k) {
        // Narrow bands at the bottom would fall between two bins.
        const weight = Math.max(0, k < b ? 1 - (b - k) / Math.max(1, b - a) : 1 - (k - b) / Math.max(1, c - b));
        sum += weight * (re[k] * re[k] + im[k] * im[k]);
      }
      bands[m] = 10 * Math.log10(sum / n);
      this.loudest = Math.max(this.loudest, bands[m]);
    }
    this.list.push({ low: this.low, high: this.high, bands });
    this.low = this.high = 0;
    if (this.list.length > this.most) {
      this.list.shift();
      ++this.first;
    }
  }

  seconds() { return this.fed / this.rate; }
}

// Blue through green to yellow, of even steps for the eye, also without red or green.
const SHADES = [[20, 12, 50], [62, 36, 110], [59, 82, 139], [36, 130, 142], [52, 170, 122], [134, 205, 76], [253, 231, 60]];
function shade(share) {
  const at = Math.min(0.9999, Math.max(0, share)) * (SHADES.length - 1);
  const [a, b] = [SHADES[Math.floor(at)], SHADES[Math.floor(at) + 1]];
  return a.map((value, i) => value + (b[i] - value) * (at % 1));
}

function css(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }

// A canvas at the screen's own resolution; calls draw with a context in CSS pixels.
function paint(canvas, height, draw) {
  const width = canvas.clientWidth, scale = window.devicePixelRatio || 1;
  if (width === 0) return;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.height = `${height}px`;
  }
  const c = canvas.getContext("2d");
  c.setTransform(scale, 0, 0, scale, 0, 0);
  c.clearRect(0, 0, width, height);
  c.font = "12px system-ui, sans-serif";
  c.textBaseline = "middle";
  const gutter = Math.min(GUTTER, width / 4);
  c.fillStyle = css("--plot");
  draw(c, { left: gutter, width: width - gutter, height, x: null });
}

const across = (box, view, seconds) => box.left + (seconds - view.begin_s) / (view.end_s - view.begin_s) * box.width;

export function drawWave(canvas, columns, view) {
  const height = 84;
  paint(canvas, height, (c, box) => {
    c.fillRect(box.left, 0, box.width, height);
    c.fillStyle = css("--muted");
    c.fillText("wave", 0, height / 2);
    if (!columns) return;
    let most = 0.02;
    for (const column of columns.list) most = Math.max(most, column.high, -column.low);
    c.fillStyle = css("--wave");
    columns.list.forEach((column, i) => {
      const begin = (columns.first + i) * columns.hop / columns.rate;
      const x = across(box, view, begin), next = across(box, view, begin + columns.hop / columns.rate);
      if (next < box.left) return;
      const top = height / 2 - column.high / most * height * 0.47, bottom = height / 2 - column.low / most * height * 0.47;
      c.fillRect(Math.max(box.left, x), top, Math.max(1, next - x), Math.max(1, bottom - top));
    });
  });
}

export function drawMel(canvas, columns, view) {
  const height = 150;
  paint(canvas, height, (c, box) => {
    c.fillRect(box.left, 0, box.width, height);
    c.fillStyle = css("--muted");
    c.fillText("mel", 0, height / 2);
    if (!columns || columns.list.length === 0) return;
    c.textBaseline = "top";
    c.fillText(`${(columns.top_hz / 1000).toFixed(0)} kHz`, 0, 1);
    c.textBaseline = "bottom";
    c.fillText("0", 0, height);
    const image = new ImageData(columns.list.length, MELS);
    columns.list.forEach((column, i) => {
      for (let m = 0; m < MELS; ++m) {
        const [r, g, b] = shade(1 + (column.bands[m] - columns.loudest) / 70);
        image.data.set([r, g, b, 255], 4 * ((MELS - 1 - m) * columns.list.length + i));
      }
    });
    const small = new OffscreenCanvas(columns.list.length, MELS);
    small.getContext("2d").putImageData(image, 0, 0);
    const begin = columns.first * columns.hop / columns.rate, end = begin + columns.list.length * columns.hop / columns.rate;
    c.save();
    c.beginPath();
    c.rect(box.left, 0, box.width, height);
    c.clip();
    const x = across(box, view, begin);
    c.drawImage(small, x, 0, across(box, view, end) - x, height);
    c.restore();
  });
}

// A row a class; a bar's height is the score, and the most probable class of a moment is in full colour.
export function drawScores(canvas, results, classes, colours, view, hop_s) {
  const row = 26, height = row * classes.length + AXIS;
  paint(canvas, height, (c, box) => {
    classes.forEach((name, k) => {
      c.fillStyle = css("--plot");
      c.fillRect(box.left, k * row, box.width, row - 4);
      c.fillStyle = css("--ink");
      c.fillText(name, 0, k * row + row / 2 - 2, box.left - 6);
    });
    c.save();
    c.beginPath();
    c.rect(box.left, 0, box.width, height);
    c.clip();
    for (const result of results) {
      const begin = result.last ? Math.max(result.begin_s, result.before_s) : Math.max(result.begin_s, result.end_s - hop_s);
      const x = across(box, view, begin), width = Math.max(1, across(box, view, result.end_s) - x - 1);
      if (x + width < box.left) continue;
      if (!result.probabilities) {
        c.fillStyle = css("--track");
        c.fillRect(x, 0, width, row * classes.length - 4);
        continue;
      }
      const scores = classes.map((name) => result.probabilities[name]), best = Math.max(...scores);
      scores.forEach((score, k) => {
        c.globalAlpha = score === best ? 1 : 0.45;
        c.fillStyle = colours[k];
        const tall = Math.max(1, score * (row - 4));
        c.fillRect(x, k * row + row - 4 - tall, width, tall);
      });
      c.globalAlpha = 1;
    }
    c.restore();
    const span = view.end_s - view.begin_s, step = [1, 2, 5, 10, 30, 60, 120].find((s) => span / s * 44 <= box.width) || 300;
    c.fillStyle = css("--muted");
    for (let s = Math.ceil(view.begin_s / step) * step; s <= view.end_s; s += step) {
      const x = across(box, view, s);
      c.fillRect(x, height - AXIS, 1, 5);
      const text = `${s} s`, wide = c.measureText(text).width;
      c.fillText(text, Math.min(Math.max(box.left, x - wide / 2), box.left + box.width - wide), height - 7);
    }
  });
}
