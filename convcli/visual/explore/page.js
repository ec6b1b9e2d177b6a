"use strict";
// What the page shows and does: controls made from the descriptors of the kernels, and the picture that follows them.

const DATA = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const MOST_EDITED = 15;
const BUDGET = 60; // milliseconds that a first picture may take to compute; larger kernels show a coarse one at first
const state = {entry: null, values: {}, edited: null, image: null, original: null, run: 0};
let pace = 4e5; // products in a millisecond, measured as pictures are made

function options(select, words, chosen) {
  select.replaceChildren(...words.map((word) => new Option(word, word, false, word === chosen)));
}

function luma(image) {
  if (image.planes.length < 3) return image;
  const [r, g, b] = image.planes;
  const plane = Float32Array.from(r, (_, i) => roundHalfEven(0.299 * r[i] + 0.587 * g[i] + 0.114 * b[i]));
  return {height: image.height, width: image.width, planes: [plane]};
}

async function loadImage(address) {
  const picture = new Image();
  picture.src = address;
  await picture.decode();
  const limit = Math.sqrt(Math.min(1, DATA.mostPixels / (picture.naturalWidth * picture.naturalHeight)));
  const width = Math.max(1, Math.floor(picture.naturalWidth * limit)), height = Math.max(1, Math.floor(picture.naturalHeight * limit));
  const canvas = Object.assign(document.createElement("canvas"), {width, height});
  const context = canvas.getContext("2d", {willReadFrequently: true});
  context.drawImage(picture, 0, 0, width, height);
  const pixels = context.getImageData(0, 0, width, height);
  const bands = [0, 1, 2].map((band) => Float32Array.from({length: width * height}, (_, i) => pixels.data[4 * i + band]));
  const same = bands[0].every((v, i) => v === bands[1][i] && v === bands[2][i]);
  state.image = {height, width, planes: same ? bands.slice(0, 1) : bands};
  state.original = pixels;
  state.gray = null;
}

// A parameter as a slider with a number beside it, a choice of words, or a line of text; `auto` has a box of its own.
function parameterControl(parameter) {
  const label = document.createElement("label");
  const {name, kind} = parameter, value = state.values[name];
  label.append(name);
  const told = Object.assign(document.createElement("small"), {textContent: parameter.help});
  const row = Object.assign(document.createElement("span"), {className: "pair"});
  const set = (given) => { state.values[name] = given; state.edited = null; follow(); };
  const inputs = [];
  if (kind.type === "words" || kind.type === "flag") {
    const select = document.createElement("select");
    options(select, kind.choices, String(value));
    select.addEventListener("input", () => set(select.value));
    inputs.push(select);
  } else if (kind.type === "number") {
    const start = value === null ? parameter.start : Number(value);
    const angle = parameter.unit === "degrees";
    const low = kind.above !== null ? kind.above : kind.at_least !== null ? kind.at_least : angle ? -180 : -10;
    const usual = angle ? 180 : Math.max(4 * Math.abs(start), low + 10);
    const step = angle || kind.whole ? 1 : kind.below !== null ? (kind.below - low) / 50 : usual > 40 ? 0.5 : 0.05;
    const high = kind.below !== null ? kind.below - step : kind.at_most !== null ? Math.min(kind.at_most, Math.max(usual, 20)) : usual;
    const least = kind.above !== null ? low + step : low;
    const slider = Object.assign(document.createElement("input"), {type: "range", min: least, max: high, step, value: start});
    const number = Object.assign(document.createElement("input"), {type: "number", step: "any", value: start});
    slider.setAttribute("aria-label", `${name}, slider`);
    slider.id = `slider-${name}`;
    slider.addEventListener("input", () => { number.value = slider.value; set(Number(slider.value)); });
    number.addEventListener("input", () => { slider.value = number.value; set(Number(number.value)); });
    inputs.push(slider, number);
  } else {
    const text = Object.assign(document.createElement("input"), {type: "text", value: value === null ? parameter.start : [].concat(value).join("x")});
    text.addEventListener("input", () => set(text.value));
    inputs.push(text);
  }
  row.append(...inputs);
  if (parameter.auto) {
    const box = Object.assign(document.createElement("input"), {type: "checkbox", checked: value === null});
    const both = Object.assign(document.createElement("span"), {className: "check"});
    box.setAttribute("aria-label", `${name}: auto`);
    const enable = () => inputs.forEach((input) => { input.disabled = box.checked; });
    box.addEventListener("input", () => { enable(); set(box.checked ? null : inputs[0].type === "range" ? Number(inputs[0].value) : inputs[0].value); });
    both.append(box, "auto");
    row.append(both);
    enable();
  }
  label.append(row, told);
  return label;
}

// The value of a parameter as its formula takes it, checked as convcli checks it; an error reads on from the name.
function checkedValue(parameter, value) {
  const {kind, name} = parameter;
  if (value === null) return null;
  if (kind.type === "flag") return String(value) === "true";
  if (kind.type === "number") {
    const number = Number(value);
    if (value === "" || !Number.isFinite(number)) throw new Error(`${name}: must be a number`);
    if (kind.above !== null && !(number > kind.above)) throw new Error(`${name}: must be greater than ${kind.above}`);
    if (kind.at_least !== null && !(number >= kind.at_least)) throw new Error(`${name}: must be at least ${kind.at_least}`);
    if (kind.below !== null && !(number < kind.below)) throw new Error(`${name}: must be less than ${kind.below}`);
    if (kind.at_most !== null && !(number <= kind.at_most)) throw new Error(`${name}: must be at most ${kind.at_most}`);
    if (kind.whole && !Number.isInteger(number)) throw new Error(`${name}: must be a whole number`);
    return number;
  }
  if (kind.type === "size") {
    const parts = (Array.isArray(value) ? value : String(value).split(/[x×]/)).map((part) => Number(part));
    if (parts.length > 2 || !parts.every((part) => Number.isInteger(part) && part >= 1 && part <= 301)) throw new Error(`${name}: must be N or HxW, at most 301 here`);
    if (kind.odd && parts.some((part) => part % 2 === 0)) throw new Error(`${name}: must be odd, so that the kernel has a centre`);
    return [parts[0], parts[parts.length - 1]];
  }
  return value;
}

const checkedValues = (entry) => Object.fromEntries(entry.parameters.map((p) => [p.name, checkedValue(p, state.values[p.name])]));

// An unsharp mask with a threshold as convcli takes it: the image, and the detail of which some is added; else null.
function thresholded(entry) {
  if (!entry.formula || entry.family !== "unsharp" || state.edited) return null;
  const {threshold, soft, amount} = checkedValues(entry);
  if (!threshold) return null;
  if (!["none", "sum"].includes(at("normalize").value)) throw new Error("takes no normalize beside a threshold: its sum is 1");
  const kernel = ownKernel(entry), weights = Float64Array.from(kernel.weights);
  weights[kernel.anchor[0] * kernel.columns + kernel.anchor[1]] -= 1;
  const image = {rows: 1, columns: 1, weights: Float64Array.of(1), anchor: [0, 0], stated: false};
  return {kernels: [image, {...kernel, weights}], combine: soft ? "soft_threshold" : "hard_threshold", threshold: Math.abs(amount) * threshold, mapping: entry.mapping || "clip"};
}

function ownKernel(entry) {
  if (state.edited) return state.edited;
  let kernel;
  if (entry.formula) {
    const array = FORMULAS[entry.family](checkedValues(entry));
    if (!array.data.every(Number.isFinite)) throw new Error("gives weights that are not finite numbers: its parameters are too extreme");
    kernel = {rows: array.rows, columns: array.columns, weights: array.data, stated: false};
    if (kernel.rows > 301 || kernel.columns > 301) throw new Error(`makes a kernel of ${kernel.rows}x${kernel.columns}: this page goes to 301`);
    kernel.anchor = [kernel.rows >> 1, kernel.columns >> 1];
    kernel = turned(normalized(kernel, at("normalize").value === "none" ? entry.normalize : "none"), entry.rotate);
  } else {
    const [part] = entry.kernels;
    kernel = {rows: part.rows, columns: part.columns, weights: Float64Array.from(part.weights), anchor: part.anchor, stated: part.stated};
  }
  return turned(normalized(kernel, at("normalize").value), Number(at("rotate").value));
}

const currentKernels = () => state.entry.combine ? state.entry.kernels : [ownKernel(state.entry)];

// The kernels that are laid on the image, and how their responses are joined and shown.
function laidKernels(kernels) {
  const {entry} = state;
  return thresholded(entry) || {kernels, combine: entry.combine, threshold: entry.threshold, mapping: entry.mapping};
}

function pairOf(id, least) {
  const parts = at(id).value.split(",").map((part) => Number(part.trim() || NaN));
  if (parts.length > 2 || !parts.every((part) => Number.isInteger(part) && part >= least)) throw new Error(`${id}: must be a whole number of at least ${least}, or two, rows first`);
  return [parts[0], parts[parts.length - 1]];
}

function finite(id) {
  const value = Number(at(id).value);
  if (at(id).value === "" || !Number.isFinite(value)) throw new Error(`${id}: must be a number`);
  return value;
}

function geometry(kernels) {
  const given = at("anchor").value.trim();
  const anchor = given ? pairOf("anchor", 0) : null;
  if (anchor && kernels.some((k) => anchor[0] >= k.rows || anchor[1] >= k.columns)) throw new Error("anchor: lies outside the kernel");
  return {padding: at("padding").value, value: at("padding").value === "constant" ? finite("value") : 0, extent: at("extent").value,
    flip: at("flip").checked, stride: pairOf("stride", 1), dilation: pairOf("dilation", 1), anchor};
}

// Computes and shows everything again.
function follow() {
  const started = performance.now(), run = ++state.run;
  document.documentElement.dataset.ready = "no";
  at("before").setAttribute("aria-pressed", "false");
  try {
    const kernels = currentKernels(), joined = laidKernels(kernels), laid = geometry(joined.kernels);
    const used = {...joined, kernels: laid.anchor ? joined.kernels.map((kernel) => ({...kernel, anchor: laid.anchor, stated: true})) : joined.kernels};
    showWeights(kernels);
    takeAlong(kernels);
    if (at("gray").checked) state.gray = state.gray || luma(state.image);
    const image = at("gray").checked ? state.gray : state.image;
    at("problem").textContent = "";
    render(image, used, laid, started, run);
    showSpectrum(kernels);
  } catch (error) {
    at("problem").textContent = error.message;
    document.documentElement.dataset.ready = "yes";
  }
}

// Shows the response: whole where that is quick, else every few rows and columns of it at first and the rest after.
function render(image, joined, laid, started, run) {
  const make = (coarser) => new Response(image, joined.kernels, joined.combine,
    {...laid, stride: laid.stride.map((step) => step * coarser)}, joined.threshold);
  const whole = make(1);
  let coarser = 1;
  while (whole.products / coarser ** 2 / pace > BUDGET && coarser < 16) coarser++;
  const before = performance.now();
  const first = coarser > 1 ? make(coarser).whole() : whole.whole();
  const spent = performance.now() - before;
  if (spent > 2) pace = 0.5 * pace + 0.5 * first.products / spent;
  show(first, joined, coarser);
  const taken = performance.now() - started;
  document.documentElement.dataset.ms = taken.toFixed(1);
  const size = `${whole.width} x ${whole.height}, ${(whole.width * whole.height / 1e6).toFixed(2)} MP`;
  at("told").textContent = `${size} in ${taken.toFixed(0)} ms${coarser > 1 ? `, every ${coarser} pixels at first` : ""}`;
  const finish = () => { document.documentElement.dataset.ready = "yes"; };
  if (coarser === 1) { finish(); return; }
  const rows = Math.max(1, Math.floor(whole.height * 40 * pace / whole.products));
  const go = () => {
    if (run !== state.run) return;
    if (whole.rows(rows)) { setTimeout(go, 0); return; }
    show(whole, joined, 1);
    at("told").textContent = `${size}; first picture in ${taken.toFixed(0)} ms, all of it in ${(performance.now() - started).toFixed(0)} ms`;
    finish();
  };
  setTimeout(go, 150);
}

function show(response, joined, coarser) {
  const scale = finite("scale"), bias = finite("bias");
  const figures = measured(response.planes, 80);
  const mapping = resolvedMapping(at("signed").value, joined.mapping, joined.kernels, bias);
  const pixels = new ImageData(mapped(response.planes, mapping, scale, bias, figures), response.width, response.height);
  const canvas = at("picture");
  canvas.width = response.width;
  canvas.height = response.height;
  canvas.style.width = coarser > 1 ? `${response.width * coarser}px` : "";
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  state.shown = {pixels, response, mapping};
  showHistogram(figures, mapping);
}

const digits = (value) => value === 0 ? "0" : Math.abs(value) >= 1e4 || Math.abs(value) < 1e-3 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);

function showHistogram(figures, mapping) {
  const canvas = at("histogram"), context = canvas.getContext("2d"), {width, height} = canvas;
  context.fillStyle = colour("ground");
  context.fillRect(0, 0, width, height);
  const most = Math.log1p(Math.max(...figures.counts)), bar = width / figures.counts.length;
  context.fillStyle = colour("series-5");
  figures.counts.forEach((count, i) => { const tall = (height - 4) * Math.log1p(count) / most; context.fillRect(i * bar, height - tall, bar - 0.6, tall); });
  if (figures.low < 0 && figures.high > 0) {
    context.fillStyle = colour("text");
    context.fillRect(width * -figures.low / (figures.high - figures.low), 0, 1, height);
  }
  at("histogram-told").textContent = `Response: ${digits(figures.low)} to ${digits(figures.high)}, mean ${digits(figures.mean)}; counts on a logarithmic scale. Mapping: ${mapping}`;
}

const VIRIDIS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];

function showSpectrum(kernels) {
  const count = 96, canvas = at("spectrum"), context = canvas.getContext("2d");
  const shown = kernels.slice(0, 1).map((kernel) => spectrum(kernel, count))[0];
  const most = shown.reduce((a, b) => Math.max(a, b), 0) || 1, pixels = context.createImageData(count, count);
  shown.forEach((value, i) => {
    const place = value / most * 4, low = Math.min(3, Math.floor(place));
    for (let band = 0; band < 3; band++) pixels.data[4 * i + band] = VIRIDIS[low][band] + (place - low) * (VIRIDIS[low + 1][band] - VIRIDIS[low][band]);
    pixels.data[4 * i + 3] = 255;
  });
  context.putImageData(pixels, 0, 0);
  const which = state.entry.combine ? `Of the first of ${kernels.length} kernels: magnitude` : "Magnitude";
  at("spectrum-told").textContent = `${which} of the frequency response, -0.5 to 0.5 cycles per pixel; from 0 to ${digits(most)}, ${digits(shown[count / 2 * count + count / 2])} in the middle`;
}

// White at zero, blue below and red above: the colours of `convcli kernels show`.
function heat(share) {
  const end = share < 0 ? [33, 102, 172] : [178, 24, 43];
  return end.map((tone) => Math.round(247 + Math.abs(share) * (tone - 247)));
}

function showWeights(kernels) {
  const [kernel] = kernels, {rows, columns, weights} = kernel;
  const editable = !state.entry.combine && rows <= MOST_EDITED && columns <= MOST_EDITED;
  const grid = at("grid"), most = weights.reduce((a, b) => Math.max(a, Math.abs(b)), 0) || 1;
  at("sizes").hidden = !editable;
  const many = state.entry.combine ? `${state.entry.combine} of ${kernels.length} kernels, the first of which is drawn` : `${rows} x ${columns}, sum ${digits(weights.reduce((a, b) => a + b, 0))}`;
  at("weights-told").textContent = many + (editable ? "; edit them as you like" : state.entry.combine ? "" : `; those of up to ${MOST_EDITED} x ${MOST_EDITED} can be edited`);
  grid.hidden = !editable;
  if (editable) {
    if (grid.dataset.size !== `${rows}x${columns}`) {
      grid.dataset.size = `${rows}x${columns}`;
      grid.replaceChildren(...range(rows).map((y) => {
        const line = document.createElement("tr");
        line.append(...range(columns).map((x) => {
          const cell = document.createElement("td"), input = Object.assign(document.createElement("input"), {type: "text", inputMode: "decimal"});
          input.setAttribute("aria-label", `weight of row ${y}, column ${x}`);
          input.addEventListener("input", () => editWeight(y, x, input));
          cell.append(input);
          return cell;
        }));
        return line;
      }));
    }
    if (document.activeElement !== at("rows")) at("rows").value = rows;
    if (document.activeElement !== at("columns")) at("columns").value = columns;
  }
  grid.querySelectorAll("input").forEach((input, i) => {
    if (!editable) return;
    if (document.activeElement !== input) input.value = Number(weights[i].toPrecision(6));
    const tone = heat(weights[i] / most);
    input.style.background = `rgb(${tone})`;
    input.style.color = 0.299 * tone[0] + 0.587 * tone[1] + 0.114 * tone[2] < 128 ? "#fff" : "#000";
  });
  const canvas = at("heat");
  canvas.hidden = editable;
  [canvas.width, canvas.height] = [columns, rows];
  const pixels = new ImageData(columns, rows);
  weights.forEach((weight, i) => pixels.data.set([...heat(weight / most), 255], 4 * i));
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}

function number(text) {
  const parts = text.split("/").map((part) => part.trim() === "" ? NaN : Number(part));
  const value = parts.length === 2 ? parts[0] / parts[1] : parts.length === 1 ? parts[0] : NaN;
  return Number.isFinite(value) ? value : null;
}

function editWeight(y, x, input) {
  const value = number(input.value);
  input.setAttribute("aria-invalid", value === null);
  if (value === null) { at("problem").textContent = `weight of row ${y}, column ${x}: must be a number or a fraction like 1/16`; return; }
  const [kernel] = currentKernels();
  const weights = Float64Array.from(kernel.weights);
  weights[y * kernel.columns + x] = value;
  state.edited = {...kernel, weights};
  follow();
}

function resize() {
  const rows = Number(at("rows").value), columns = Number(at("columns").value);
  if (![rows, columns].every((n) => Number.isInteger(n) && n >= 1 && n <= MOST_EDITED)) return;
  const [old] = currentKernels(), weights = new Float64Array(rows * columns);
  const down = (rows >> 1) - old.anchor[0], across = (columns >> 1) - old.anchor[1];
  for (let y = 0; y < old.rows; y++) {
    for (let x = 0; x < old.columns; x++) {
      if (y + down >= 0 && y + down < rows && x + across >= 0 && x + across < columns) weights[(y + down) * columns + x + across] = old.weights[y * old.columns + x];
    }
  }
  state.edited = {rows, columns, weights, anchor: [rows >> 1, columns >> 1], stated: false};
  follow();
}

const written = (value) => Array.isArray(value) ? value.join("x") : value === null ? "auto" : String(value);

// The SPEC of the kernel as it stands: a name with what differs from its file, or the weights.
function spec([kernel]) {
  const {entry} = state;
  if (state.edited) return range(kernel.rows).map((y) => Array.from(kernel.weights.slice(y * kernel.columns, (y + 1) * kernel.columns)).join(" ")).join("; ");
  const changes = (entry.parameters || []).filter((p) => written(state.values[p.name]) !== written(p.value)).map((p) => `${p.name}=${written(state.values[p.name])}`);
  if (at("normalize").value !== "none") changes.push(`normalize=${at("normalize").value}`);
  if (at("rotate").value !== "0") changes.push(`rotate=${at("rotate").value}`);
  return entry.spec + (changes.length ? (entry.spec.includes("=") ? "," : ":") + changes.join(",") : "");
}

const quoted = (text) => /^[\w.\/:=,+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

function takeAlong(kernels) {
  const words = ["convcli", "filter", quoted(DATA.file), "-k", quoted(spec(kernels))];
  const add = (option, value, usual) => { if (String(value) !== usual) words.push(`--${option}`, quoted(String(value))); };
  add("padding", at("padding").value, DATA.padding[0]);
  if (at("padding").value === "constant") add("padding-value", at("value").value, "0");
  add("extent", at("extent").value, "same");
  add("anchor", at("anchor").value.replaceAll(" ", ""), "");
  add("stride", at("stride").value.replaceAll(" ", ""), "1");
  add("dilation", at("dilation").value.replaceAll(" ", ""), "1");
  add("signed", at("signed").value, "auto");
  add("scale", at("scale").value, "1");
  add("bias", at("bias").value, "0");
  if (DATA.opaque) words.push("--alpha", "drop");
  for (const word of ["flip", "gray"]) if (at(word).checked) words.push(`--${word}`);
  at("command").value = words.join(" ");
  at("yaml").value = kernelFile(kernels);
}

function kernelFile(kernels) {
  const {entry} = state, name = state.edited ? "custom" : entry.name;
  const lines = [`name: ${name}`];
  const rows = (kernel, indent) => range(kernel.rows).map((y) => `${indent}- [${Array.from(kernel.weights.slice(y * kernel.columns, (y + 1) * kernel.columns)).join(", ")}]`);
  const part = (kernel, indent) => ["weights:", ...rows(kernel, `${indent}  `), ...(kernel.stated ? [`${indent}anchor: [${kernel.anchor.join(", ")}]`] : [])];
  if (entry.combine) {
    lines.push(`combine: ${entry.combine}`, ...(entry.threshold ? [`threshold: ${entry.threshold}`] : []), "kernels:");
    for (const kernel of kernels) lines.push(...part(kernel, "    ").map((line, i) => i ? line : `  - ${line}`));
  } else if (entry.formula && !state.edited && at("normalize").value === "none" && at("rotate").value === "0" && entry.normalize === "none" && entry.rotate === 0) {
    const values = entry.parameters.map((p) => {
      const value = state.values[p.name];
      return `${p.name}: ${p.kind.type === "size" && value !== null ? `[${checkedValue(p, value).join(", ")}]` : written(value)}`;
    });
    lines.push(`family: ${entry.family}`, `parameters: {${values.join(", ")}}`);
  } else {
    lines.push(...part(kernels[0], ""));
  }
  if (entry.mapping) lines.push(`mapping: ${entry.mapping}`);
  return `${lines.join("\n")}\n`;
}

function choose(name) {
  state.entry = DATA.kernels.find((entry) => entry.name === name);
  state.edited = null;
  const {entry} = state;
  at("summary").textContent = entry.summary + (entry.family && !entry.formula ? " (This page has its weights, not its formula.)" : "");
  const parameters = entry.formula ? entry.parameters : [];
  const first = (p) => p.start_value === undefined ? p.value : p.start_value === "auto" ? null : p.start_value;
  state.values = Object.fromEntries(parameters.map((parameter) => [parameter.name, first(parameter)]));
  at("parameters").replaceChildren(...parameters.map(parameterControl));
  at("changes").hidden = Boolean(entry.combine);
  at("normalize").value = "none";
  at("rotate").value = "0";
  at("anchor").value = "";
  follow();
}

async function start() {
  options(at("name"), DATA.kernels.map((entry) => entry.name), DATA.chosen);
  options(at("padding"), DATA.padding.filter((mode) => mode in PADDING), DATA.padding[0]);
  options(at("extent"), DATA.extents, "same");
  options(at("signed"), DATA.signed, "auto");
  options(at("normalize"), DATA.normalize, "none");
  options(at("rotate"), range(0, 360, 45).map(String), "0");
  at("name").addEventListener("input", () => choose(at("name").value));
  for (const id of ["padding", "value", "extent", "anchor", "stride", "dilation", "flip", "gray", "signed", "scale", "bias"]) at(id).addEventListener("input", follow);
  for (const id of ["normalize", "rotate"]) at(id).addEventListener("input", () => { state.edited = null; follow(); });
  for (const id of ["rows", "columns"]) at(id).addEventListener("input", resize);
  at("controls").addEventListener("submit", (event) => event.preventDefault());
  at("before").addEventListener("click", () => {
    const before = at("before").getAttribute("aria-pressed") === "false", shown = before ? state.original : state.shown.pixels;
    at("before").setAttribute("aria-pressed", before);
    at("picture").width = shown.width;
    at("picture").height = shown.height;
    at("picture").getContext("2d").putImageData(shown, 0, 0);
  });
  at("file").addEventListener("change", async () => {
    const [file] = at("file").files;
    if (!file) return;
    const address = URL.createObjectURL(file);
    try { await loadImage(address); DATA.file = file.name; DATA.opaque = false; follow(); } catch { at("problem").textContent = `${file.name}: not a picture that the browser reads`; }
    URL.revokeObjectURL(address);
  });
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", () => {
      const text = at(button.dataset.copy);
      text.select();
      if (navigator.clipboard) navigator.clipboard.writeText(text.value).catch(() => document.execCommand("copy"));
      else document.execCommand("copy");
    });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", follow);
  await loadImage(DATA.image);
  choose(DATA.chosen);
}

start();
