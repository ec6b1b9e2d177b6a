"use strict";
// Correlation as convcli defines it: padding, extent, flip, anchor, stride and dilation, for planes of samples.
// A kernel is {rows, columns, weights, anchor}; an image is {height, width, planes}, its planes Float32Array.

const PADDING = {
  reflect101: (p, n) => { const last = n - 1, period = Math.max(2 * last, 1); return last - Math.abs(((p % period) + period) % period - last); },
  reflect: (p, n) => { const period = 2 * n, q = ((p % period) + period) % period; return q < n ? q : period - 1 - q; },
  replicate: (p, n) => Math.min(Math.max(p, 0), n - 1),
  constant: (p, n) => p >= 0 && p < n ? p : -1,
  wrap: (p, n) => ((p % n) + n) % n,
};

function flipped(kernel) {
  const {rows, columns, anchor} = kernel;
  return {...kernel, weights: Float64Array.from(kernel.weights).reverse(), anchor: [rows - 1 - anchor[0], columns - 1 - anchor[1]]};
}

// One axis: how far the kernel spans, the padding on both sides, and the number of outputs.
function axisGeometry(length, taps, anchor, extent, stride, dilation) {
  const span = dilation * (taps - 1) + 1;
  let before = 0, after = 0;
  if (extent === "same") { before = anchor * dilation; after = span - 1 - before; }
  else if (extent === "full") { before = after = span - 1; }
  else if (span > length) throw new Error(`a kernel that spans ${span} pixels does not fit into ${length}: choose extent same or full`);
  return {span, stride, before, after, output: Math.floor((length + before + after - span) / stride) + 1};
}

function paddedPlane(plane, height, width, down, across, mode, value) {
  const rows = height + down.before + down.after, columns = width + across.before + across.after;
  if (rows === height && columns === width) return {data: plane, rows, columns};
  const data = new Float32Array(rows * columns);
  const sources = Int32Array.from({length: columns}, (_, x) => PADDING[mode](x - across.before, width));
  for (let y = 0; y < rows; y++) {
    const source = PADDING[mode](y - down.before, height), row = y * columns;
    if (source < 0) { data.fill(value, row, row + columns); continue; }
    for (let x = 0; x < across.before; x++) data[row + x] = sources[x] < 0 ? value : plane[source * width + sources[x]];
    data.set(plane.subarray(source * width, (source + 1) * width), row + across.before);
    for (let x = across.before + width; x < columns; x++) data[row + x] = sources[x] < 0 ? value : plane[source * width + sources[x]];
  }
  return {data, rows, columns};
}

// Pairs of a column and a row whose products add up to the weights, by cross approximation with full pivoting; null
// where one pass over the weights themselves is cheaper.
function factors(rows, columns, weights) {
  const rest = Float64Array.from(weights), pairs = [];
  const largest = rest.reduce((most, w) => Math.max(most, Math.abs(w)), 0);
  const most = Math.floor((rows * columns - 1) / (rows + columns));
  while (pairs.length <= most) {
    let place = 0;
    for (let i = 1; i < rest.length; i++) if (Math.abs(rest[i]) > Math.abs(rest[place])) place = i;
    if (Math.abs(rest[place]) <= 1e-13 * largest) return pairs.length ? pairs : null;
    if (pairs.length === most) return null;
    const y = Math.floor(place / columns), x = place % columns, pivot = rest[place];
    const column = Float64Array.from({length: rows}, (_, i) => rest[i * columns + x]);
    const row = Float64Array.from({length: columns}, (_, i) => rest[y * columns + i] / pivot);
    for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) rest[i * columns + j] -= column[i] * row[j];
    pairs.push([column, row]);
  }
  return null;
}

// Sums of a row of outputs, written out for the places of the taps: a browser makes quick code of that.
const ROW_SUMS = new Map();
const MOST_TAPS = 64;

function rowSums(offsets, stride) {
  const key = `${stride}:${offsets.join(",")}`;
  let made = ROW_SUMS.get(key);
  if (!made) {
    if (ROW_SUMS.size > 64) ROW_SUMS.clear();
    const names = offsets.map((_, i) => `const w${i} = weights[${i}];`).join(" ");
    const products = offsets.map((offset, i) => `w${i} * source[p + ${offset}]`).join(" + ") || "0";
    made = new Function("source", "start", "weights", "out", "place", "count", "more",
      `${names}\nif (more) for (let x = 0, p = start; x < count; x++, p += ${stride}) out[place + x] += ${products};
      else for (let x = 0, p = start; x < count; x++, p += ${stride}) out[place + x] = ${products};`);
    ROW_SUMS.set(key, made);
  }
  return made;
}

// The passes of one kernel over a padded plane, in groups of taps that are not zero.
function tapGroups(weights, offsets, stride) {
  const used = [];
  for (let i = 0; i < weights.length; i++) if (weights[i] !== 0) used.push(i);
  const groups = [];
  for (let i = 0; i < used.length || i === 0; i += MOST_TAPS) {
    const part = used.slice(i, i + MOST_TAPS);
    groups.push({run: rowSums(part.map((j) => offsets[j]), stride), weights: Float64Array.from(part, (j) => weights[j])});
  }
  return groups;
}

// How one kernel is laid on images of one size: what to do to a padded plane, row by row of the output.
function planned(kernel, image, options) {
  const used = options.flip ? flipped(kernel) : kernel;
  const {rows, columns, weights, anchor} = used;
  const down = axisGeometry(image.height, rows, anchor[0], options.extent, options.stride[0], options.dilation[0]);
  const across = axisGeometry(image.width, columns, anchor[1], options.extent, options.stride[1], options.dilation[1]);
  const width = image.width + across.before + across.after;
  const pairs = factors(rows, columns, weights);
  const taps = pairs ? pairs.length * (rows + columns) : weights.filter((w) => w !== 0).length;
  let run;
  if (pairs) {
    const passes = pairs.map(([column, row]) => [
      tapGroups(column, Array.from(column, (_, v) => v * options.dilation[0] * width), 1),
      tapGroups(row, Array.from(row, (_, u) => u * options.dilation[1]), across.stride),
    ]);
    const line = new Float64Array(width);
    run = (padded, out, y) => passes.forEach(([vertical, horizontal], pair) => {
      vertical.forEach((g, i) => g.run(padded, y * down.stride * width, g.weights, line, 0, width, i > 0));
      horizontal.forEach((g, i) => g.run(line, 0, g.weights, out, y * across.output, across.output, pair > 0 || i > 0));
    });
  } else {
    const offsets = Array.from(weights, (_, i) => Math.floor(i / columns) * options.dilation[0] * width + (i % columns) * options.dilation[1]);
    const groups = tapGroups(weights, offsets, across.stride);
    run = (padded, out, y) => groups.forEach((g, i) =>
      g.run(padded, y * down.stride * width, g.weights, out, y * across.output, across.output, i > 0));
  }
  return {down, across, run, products: taps * down.output * across.output};
}

// The response of an image to one kernel or to several that are combined, made row by row so that it can be left off.
class Response {
  constructor(image, kernels, combine, options, threshold = 0) {
    this.plans = kernels.map((kernel) => planned(kernel, image, options));
    const heights = this.plans.map((p) => p.down.output), widths = this.plans.map((p) => p.across.output);
    if (new Set(heights).size > 1 || new Set(widths).size > 1) throw new Error("kernels of several sizes need extent same");
    [this.height, this.width] = [heights[0], widths[0]];
    this.products = this.plans.reduce((sum, plan) => sum + plan.products, 0) * image.planes.length;
    this.combine = combine;
    this.threshold = threshold;
    this.image = image;
    this.options = options;
    this.done = 0;
  }

  // Pads and makes room, which is put off to the first row: a response may be planned only for its cost.
  prepare() {
    const {image, options} = this, made = new Map();
    this.padded = this.plans.map(({down, across}) => image.planes.map((plane, band) => {
      const key = [band, down.before, down.after, across.before, across.after].join();
      if (!made.has(key)) made.set(key, paddedPlane(plane, image.height, image.width, down, across, options.padding, options.value).data);
      return made.get(key);
    }));
    this.planes = image.planes.map(() => new Float32Array(this.height * this.width));
    this.parts = this.plans.length > 1 ? this.plans.map(() => new Float32Array(this.height * this.width)) : null;
  }

  rows(count) {
    if (!this.planes) this.prepare();
    const end = Math.min(this.height, this.done + count);
    this.planes.forEach((plane, band) => {
      for (let y = this.done; y < end; y++) {
        if (!this.parts) { this.plans[0].run(this.padded[0][band], plane, y); continue; }
        this.plans.forEach((plan, i) => plan.run(this.padded[i][band], this.parts[i], y));
      }
      if (this.parts) combineInto(plane, this.parts, this, this.done * this.width, end * this.width);
    });
    this.done = end;
    return this.done < this.height;
  }

  whole() { this.rows(this.height); return this; }
}

// What a response adds: with a threshold, only what is at least that (hard), or what lies beyond it (soft).
function addend(response, how, threshold) {
  if (how === "sum") return response;
  if (how === "hard_threshold") return Math.abs(response) < threshold ? 0 : response;
  return response - Math.min(Math.max(response, -threshold), threshold);
}

function combineInto(out, parts, {combine: how, threshold}, start, end) {
  for (let i = start; i < end; i++) {
    let result = parts[0][i];
    if (how === "magnitude") {
      result *= result;
      for (let k = 1; k < parts.length; k++) result += parts[k][i] * parts[k][i];
      result = Math.sqrt(result);
    } else {
      if (how === "maxabs") result = Math.abs(result);
      for (let k = 1; k < parts.length; k++) {
        if (how === "sum" || how === "hard_threshold" || how === "soft_threshold") result += addend(parts[k][i], how, threshold);
        else result = Math.max(result, how === "maxabs" ? Math.abs(parts[k][i]) : parts[k][i]);
      }
    }
    out[i] = result;
  }
}

function sumsToZero(weights) {
  let sum = 0, size = 0;
  for (const w of weights) { sum += w; size += Math.abs(w); }
  return Math.abs(sum) <= 1e-6 * size;
}

function resolvedMapping(asked, stated, kernels, bias) {
  if (asked !== "auto") return asked;
  if (stated) return stated;
  return bias === 0 && kernels.some((kernel) => sumsToZero(kernel.weights)) ? "abs" : "clip";
}

// Least, greatest, mean, counts in equal bins, and the share of samples beyond 0..255 once mapped.
function measured(planes, bins) {
  let low = Infinity, high = -Infinity, sum = 0, count = 0;
  for (const plane of planes) {
    for (let i = 0; i < plane.length; i++) { const v = plane[i]; if (v < low) low = v; if (v > high) high = v; sum += v; }
    count += plane.length;
  }
  const counts = new Uint32Array(bins), gain = high > low ? bins / (high - low) : 0;
  for (const plane of planes) for (let i = 0; i < plane.length; i++) counts[Math.min(bins - 1, (plane[i] - low) * gain | 0)]++;
  return {low, high, mean: sum / count, counts};
}

// Into 8-bit RGBA: response times scale, plus bias, then the mapping. The array rounds half to even and saturates.
function mapped(planes, mapping, scale, bias, span) {
  const count = planes[0].length, out = new Uint8ClampedArray(4 * count);
  let gain = scale, shift = bias + (mapping === "offset" ? 128 : 0);
  if (mapping === "stretch") {
    const ends = [span.low * scale, span.high * scale], low = Math.min(...ends), high = Math.max(...ends);
    const unit = high > low ? 255 / (high - low) : 0;
    gain = scale * unit; shift = -low * unit;
  }
  const absolute = mapping === "abs";
  for (let band = 0; band < 3; band++) {
    const plane = planes[planes.length === 1 ? 0 : band];
    if (absolute) for (let i = 0, o = band; i < count; i++, o += 4) out[o] = Math.abs(plane[i] * gain + shift);
    else for (let i = 0, o = band; i < count; i++, o += 4) out[o] = plane[i] * gain + shift;
  }
  for (let o = 3; o < out.length; o += 4) out[o] = 255;
  return out;
}

// Magnitude of the frequency response on a grid of count x count, from -0.5 to below 0.5 cycles per pixel.
function spectrum(kernel, count) {
  const {rows, columns, weights} = kernel, out = new Float64Array(count * count);
  const real = new Float64Array(rows), imaginary = new Float64Array(rows);
  for (let fx = 0; fx < count; fx++) {
    const turn = -2 * Math.PI * (fx / count - 0.5);
    real.fill(0); imaginary.fill(0);
    for (let x = 0; x < columns; x++) {
      const c = Math.cos(turn * x), s = Math.sin(turn * x);
      for (let y = 0; y < rows; y++) { const w = weights[y * columns + x]; real[y] += w * c; imaginary[y] += w * s; }
    }
    for (let fy = 0; fy < count; fy++) {
      const up = -2 * Math.PI * (fy / count - 0.5);
      let a = 0, b = 0;
      for (let y = 0; y < rows; y++) {
        const c = Math.cos(up * y), s = Math.sin(up * y);
        a += real[y] * c - imaginary[y] * s; b += real[y] * s + imaginary[y] * c;
      }
      out[fy * count + fx] = Math.hypot(a, b);
    }
  }
  return out;
}

function normalized(kernel, how) {
  if (how === "none") return kernel;
  const weights = Float64Array.from(kernel.weights);
  const sum = (values) => values.reduce((a, b) => a + b, 0), absolute = sum(weights.map(Math.abs));
  if (how === "posneg") {
    const above = sum(weights.filter((w) => w > 0)), below = -sum(weights.filter((w) => w < 0));
    return {...kernel, weights: weights.map((w) => w > 0 ? w / above : w < 0 ? w / below : w)};
  }
  const total = how === "sum" ? sum(weights) : absolute;
  if (Math.abs(total) <= 1e-12 * absolute) throw new Error(`normalize: ${how} divides by the weights' sum, which is zero`);
  return {...kernel, weights: weights.map((w) => w / total)};
}

// Turned counter-clockwise as displayed, by a multiple of 90 degrees, or of 45 for 3 x 3.
function turned(kernel, degrees) {
  const steps = ((Math.round(degrees / 45) % 8) + 8) % 8;
  if (degrees % 45 !== 0 || (steps % 2 && !(kernel.rows === 3 && kernel.columns === 3))) {
    throw new Error(`rotate: must be a multiple of 90 (of 45 for 3x3), not ${degrees}`);
  }
  let {rows, columns, weights, anchor} = kernel;
  if (steps % 2) {
    const ring = [0, 1, 2, 5, 8, 7, 6, 3], out = Float64Array.from(weights);
    ring.forEach((place, i) => { out[ring[(i - steps + 8) % 8]] = weights[place]; });
    const at = ring.indexOf(anchor[0] * 3 + anchor[1]), to = at < 0 ? 4 : ring[(at - steps + 8) % 8];
    return {rows, columns, weights: out, anchor: kernel.stated ? [Math.floor(to / 3), to % 3] : [1, 1], stated: kernel.stated};
  }
  for (let i = 0; i < steps / 2; i++) {
    const out = new Float64Array(weights.length);
    for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) out[(columns - 1 - x) * rows + y] = weights[y * columns + x];
    anchor = [columns - 1 - anchor[1], anchor[0]];
    [rows, columns, weights] = [columns, rows, out];
  }
  if (!kernel.stated) anchor = [rows >> 1, columns >> 1];
  return {rows, columns, weights, anchor, stated: kernel.stated};
}
