"use strict";
// The part of Python, math and numpy that the formulas of kernels are written in, under the same names, for arrays of
// one or two dimensions. What the formulas may use is what these tables hold: the translator reads them.

class Arr {
  constructor(shape, data) {
    this.shape = shape;
    this.data = data || new Float64Array(shape.reduce((a, b) => a * b, 1));
  }
  get ndim() { return this.shape.length; }
  get size() { return this.data.length; }
  get rows() { return this.shape.length === 2 ? this.shape[0] : 1; }
  get columns() { return this.shape[this.shape.length - 1]; }
  get T() {
    if (this.ndim < 2) return this;
    const out = new Arr([this.columns, this.rows]);
    for (let y = 0; y < this.rows; y++) for (let x = 0; x < this.columns; x++) out.data[x * this.rows + y] = this.data[y * this.columns + x];
    return out;
  }
  get real() { return this; }
  any() { return this.data.some(Boolean); }
  all() { return this.data.every(Boolean); }
  sum(options) { return reduce(this, options, (a, b) => a + b, 0); }
  max(options) { return reduce(this, options, Math.max, -Infinity); }
  min(options) { return reduce(this, options, Math.min, Infinity); }
  mean() { return this.sum() / this.size; }
  copy() { return new Arr(this.shape.slice(), this.data.slice()); }
  astype() { return this; }
  ravel() { return new Arr([this.size], this.data.slice()); }
  reshape(...shape) { return new Arr(Array.isArray(shape[0]) ? shape[0] : shape, this.data.slice()); }
  [Symbol.iterator]() {
    return (this.ndim === 1 ? Array.from(this.data) : range(this.rows).map((y) => py.get(this, [y])))[Symbol.iterator]();
  }
}

function range(a, b, step = 1) {
  const [start, stop] = b === undefined ? [0, a] : [a, b];
  return Array.from({length: Math.max(0, Math.ceil((stop - start) / step))}, (_, i) => start + i * step);
}

function reduce(array, options, join, first) {
  const axis = typeof options === "number" ? options : options && options.axis;
  if (axis === undefined || axis === null) return array.data.reduce(join, first);
  const along = axis < 0 ? axis + array.ndim : axis;
  if (array.ndim === 1) return array.data.reduce(join, first);
  const keep = options && options.keepdims;
  const out = new Arr([along === 0 ? array.columns : array.rows]).ravel();
  out.data.fill(first);
  for (let y = 0; y < array.rows; y++) {
    for (let x = 0; x < array.columns; x++) {
      const place = along === 0 ? x : y;
      out.data[place] = join(out.data[place], array.data[y * array.columns + x]);
    }
  }
  if (keep) out.shape = along === 0 ? [1, out.size] : [out.size, 1];
  return out;
}

function asArray(value) {
  if (value instanceof Arr) return value;
  if (ArrayBuffer.isView(value)) return new Arr([value.length], value);
  if (!Array.isArray(value)) return new Arr([1], Float64Array.of(Number(value)));
  if (value.length && (Array.isArray(value[0]) || value[0] instanceof Arr)) {
    const rows = value.map((row) => Array.from(row instanceof Arr ? row.data : row));
    return new Arr([rows.length, rows[0].length], Float64Array.from(rows.flat()));
  }
  return new Arr([value.length], Float64Array.from(value));
}

// Calls a function of numbers on arrays, whose axes of length 1 are repeated as far as the other's reach.
function elementwise(compute) {
  return (...given) => {
    if (!given.some((each) => each instanceof Arr)) return compute(...given);
    const arrays = given.map(asArray);
    const rows = Math.max(...arrays.map((each) => each.rows)), columns = Math.max(...arrays.map((each) => each.columns));
    const out = new Arr(arrays.some((each) => each.ndim === 2) ? [rows, columns] : [columns]);
    const steps = arrays.map((each) => [each.rows === 1 ? 0 : each.columns, each.columns === 1 ? 0 : 1]);
    for (const [place, each] of arrays.entries()) {
      if ((each.rows !== 1 && each.rows !== rows) || (each.columns !== 1 && each.columns !== columns)) {
        throw new Error(`arrays of ${arrays.map((a) => a.shape.join("x"))} do not go together (${place})`);
      }
    }
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        out.data[y * columns + x] = compute(...arrays.map((each, i) => each.data[y * steps[i][0] + x * steps[i][1]]));
      }
    }
    return out;
  };
}

function roundHalfEven(value) {
  const below = Math.floor(value), rest = value - below;
  return rest < 0.5 || (rest === 0.5 && below % 2 === 0) ? below : below + 1;
}

// Where the parts of an index lead: positions along each axis, and which axes stay; null adds an axis of length 1.
function positions(array, index) {
  const axes = [];
  let axis = 0;
  for (const part of index) {
    if (part === null) { axes.push({added: true}); continue; }
    const length = array.shape[axis];
    if (typeof part === "object" && part.slice) {
      const [start, stop, step] = part.slice;
      const by = step === null ? 1 : step;
      const bound = (value, otherwise) => value === null ? otherwise : Math.min(Math.max(value < 0 ? value + length : value, by < 0 ? -1 : 0), by < 0 ? length - 1 : length);
      const taken = range(bound(start, by < 0 ? length - 1 : 0), bound(stop, by < 0 ? -1 : length), by);
      axes.push({taken, stays: true});
    } else {
      axes.push({taken: [part < 0 ? part + length : part], stays: false});
    }
    axis++;
  }
  for (; axis < array.ndim; axis++) axes.push({taken: range(array.shape[axis]), stays: true});
  const own = axes.filter((each) => !each.added);
  const columns = own[own.length - 1].taken, rows = own.length === 2 ? own[0].taken : [0];
  const places = rows.flatMap((y) => columns.map((x) => y * array.columns + x));
  return {places, shape: axes.filter((each) => each.added || each.stays).map((each) => each.added ? 1 : each.taken.length)};
}

const equal = elementwise((a, b) => a === b), unequal = elementwise((a, b) => a !== b);

// The transform of a row of values, real and imaginary; `sense` is -1 forwards and 1 back. Any length, and slowly.
function transformed(real, imaginary, sense) {
  const n = real.length, cosines = range(n).map((i) => Math.cos(2 * Math.PI * i / n)), sines = range(n).map((i) => Math.sin(2 * Math.PI * i / n));
  const out = [new Float64Array(n), new Float64Array(n)];
  for (let k = 0; k < n; k++) {
    let a = 0, b = 0;
    for (let j = 0; j < n; j++) {
      const turn = j * k % n, c = cosines[turn], s = sense * sines[turn];
      a += real[j] * c - imaginary[j] * s;
      b += real[j] * s + imaginary[j] * c;
    }
    out[0][k] = a;
    out[1][k] = b;
  }
  return out;
}

const py = {
  add: elementwise((a, b) => a + b),
  sub: elementwise((a, b) => a - b),
  mul: elementwise((a, b) => a * b),
  div: elementwise((a, b) => a / b),
  pow: elementwise((a, b) => b === 2 ? a * a : Math.pow(a, b)),
  mod: elementwise((a, b) => a - b * Math.floor(a / b)),
  floordiv: elementwise((a, b) => Math.floor(a / b)),
  lshift: elementwise((a, b) => a * 2 ** b),
  both: elementwise((a, b) => a && b ? 1 : 0),
  either: elementwise((a, b) => a || b ? 1 : 0),
  neg: elementwise((a) => -a),
  lt: elementwise((a, b) => a < b),
  le: elementwise((a, b) => a <= b),
  gt: elementwise((a, b) => a > b),
  ge: elementwise((a, b) => a >= b),
  eq: (a, b) => Array.isArray(a) && Array.isArray(b) ? a.length === b.length && a.every((each, i) => py.eq(each, b[i])) : equal(a, b),
  ne: (a, b) => Array.isArray(a) && Array.isArray(b) ? !py.eq(a, b) : unequal(a, b),
  isin: (a, all) => Array.from(all).includes(a),
  matmul: (a, b) => {
    [a, b] = [asArray(a), asArray(b)];
    if (b.ndim === 1) {
      const out = new Arr([a.rows]);
      for (let y = 0; y < a.rows; y++) for (let x = 0; x < a.columns; x++) out.data[y] += a.data[y * a.columns + x] * b.data[x];
      return a.ndim === 1 ? out.data[0] : out;
    }
    const out = new Arr([a.rows, b.columns]);
    for (let y = 0; y < a.rows; y++) for (let x = 0; x < b.columns; x++) for (let k = 0; k < a.columns; k++) out.data[y * b.columns + x] += a.data[y * a.columns + k] * b.data[k * b.columns + x];
    return out;
  },
  get: (value, index) => {
    if (!(value instanceof Arr)) {
      const [part] = index;
      if (typeof part === "object" && part.slice) return positions({shape: [value.length], columns: value.length, ndim: 1}, index).places.map((place) => value[place]);
      return value[part < 0 ? part + value.length : part];
    }
    if (index.length === 1 && index[0] instanceof Arr) {
      const chosen = value.data.filter((_, i) => index[0].data[i]);
      return new Arr([chosen.length], chosen);
    }
    const {places, shape} = positions(value, index);
    if (!shape.length) return value.data[places[0]];
    return new Arr(shape, Float64Array.from(places, (place) => value.data[place]));
  },
  set: (array, index, value) => {
    if (!(array instanceof Arr)) { array[index[0] < 0 ? index[0] + array.length : index[0]] = value; return; }
    const mask = index.length === 1 && index[0] instanceof Arr;
    const places = mask ? range(array.size).filter((i) => index[0].data[i]) : positions(array, index).places;
    const given = value instanceof Arr ? value.data : Array.isArray(value) ? value : null;
    places.forEach((place, i) => { array.data[place] = given ? given[given.length === 1 ? 0 : i % given.length] : value; });
  },
  list: (values) => Array.from(values),
  tuple: (values) => Array.from(values),
  reversed: (values) => Array.from(values).reverse(),
  int: Math.trunc,
  float: Number,
  bool: Boolean,
  abs: elementwise(Math.abs),
  round: (value, digits) => digits === undefined ? roundHalfEven(value) : Number(value.toFixed(digits)),
  str: (value) => Array.isArray(value) ? `(${value.join(", ")})` : String(value),
  len: (values) => values instanceof Arr ? values.shape[0] : values.length,
  min: (...values) => Math.min(...(values.length === 1 ? Array.from(values[0]) : values)),
  max: (...values) => Math.max(...(values.length === 1 ? Array.from(values[0]) : values)),
  sum: (values) => Array.from(values).reduce((a, b) => py.add(a, b), 0),
  any: (values) => Array.from(values).some(Boolean),
  all: (values) => Array.from(values).every(Boolean),
  range: range,
  zip: (...lists) => Array.from(lists[0], (_, i) => lists.map((each) => Array.from(each)[i])),
  enumerate: (values) => Array.from(values, (value, i) => [i, value]),
  // The sum of products of columns and rows.
  products: (pairs) => pairs.map(([column, row]) => np.outer(asArray(column), asArray(row))).reduce((a, b) => py.add(a, b)),
  // A function of all parameters of a family, by name: those that follow from others are completed first.
  formula: (compute, names, derive) => (given) => {
    const values = derive ? {...given, ...derive(given)} : given;
    return compute(...names.map((name) => values[name]));
  },
  divmod: (a, b) => [Math.floor(a / b), a - b * Math.floor(a / b)],
};

const math = {
  pi: Math.PI,
  tau: 2 * Math.PI,
  e: Math.E,
  inf: Infinity,
  exp: Math.exp,
  log: Math.log,
  log2: Math.log2,
  sqrt: Math.sqrt,
  cos: Math.cos,
  sin: Math.sin,
  tan: Math.tan,
  atan: Math.atan,
  atan2: Math.atan2,
  hypot: Math.hypot,
  radians: (degrees) => degrees * Math.PI / 180,
  degrees: (radians) => radians * 180 / Math.PI,
  fmod: (a, b) => a % b,
  ceil: Math.ceil,
  floor: Math.floor,
  copysign: (a, b) => b < 0 || Object.is(b, -0) ? -Math.abs(a) : Math.abs(a),
  isfinite: Number.isFinite,
  factorial: (n) => range(2, n + 1).reduce((a, b) => a * b, 1),
  comb: (n, k) => {
    let result = 1;
    for (let i = 1; i <= Math.min(k, n - k); i++) result = result * (n - Math.min(k, n - k) + i) / i;
    return k < 0 || k > n ? 0 : result;
  },
};

const np = {
  pi: Math.PI,
  newaxis: null,
  float64: Number,
  exp: elementwise(Math.exp),
  log: elementwise(Math.log),
  sqrt: elementwise(Math.sqrt),
  cos: elementwise(Math.cos),
  sin: elementwise(Math.sin),
  tan: elementwise(Math.tan),
  arctan2: elementwise(Math.atan2),
  hypot: elementwise(Math.hypot),
  abs: elementwise(Math.abs),
  square: elementwise((a) => a * a),
  power: py.pow,
  sign: elementwise(Math.sign),
  floor: elementwise(Math.floor),
  ceil: elementwise(Math.ceil),
  rint: elementwise(roundHalfEven),
  radians: elementwise(math.radians),
  deg2rad: elementwise(math.radians),
  sinc: elementwise((x) => x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)),
  maximum: elementwise(Math.max),
  minimum: elementwise(Math.min),
  clip: elementwise((a, low, high) => Math.min(Math.max(a, low), high)),
  where: elementwise((test, a, b) => test ? a : b),
  logical_and: py.both,
  logical_or: py.either,
  sum: (values, options) => asArray(values).sum(options),
  max: (values, options) => asArray(values).max(options),
  min: (values, options) => asArray(values).min(options),
  mean: (values) => asArray(values).mean(),
  count_nonzero: (values) => asArray(values).data.filter((value) => value !== 0).length,
  array: asArray,
  asarray: asArray,
  arange: (a, b, step) => asArray(range(a, typeof b === "number" ? b : undefined, typeof step === "number" ? step : 1)),
  linspace: (a, b, count) => asArray(range(count).map((i) => count === 1 ? a : a + (b - a) * i / (count - 1))),
  zeros: (shape) => new Arr([].concat(shape)),
  ones: (shape) => np.full(shape, 1),
  full: (shape, value) => { const out = new Arr([].concat(shape)); out.data.fill(value); return out; },
  zeros_like: (array) => new Arr(array.shape.slice()),
  ones_like: (array) => np.full(array.shape.slice(), 1),
  eye: (count) => { const out = new Arr([count, count]); for (let i = 0; i < count; i++) out.data[i * count + i] = 1; return out; },
  outer: (a, b) => {
    const out = new Arr([a.size, b.size]);
    for (let y = 0; y < a.size; y++) for (let x = 0; x < b.size; x++) out.data[y * b.size + x] = a.data[y] * b.data[x];
    return out;
  },
  convolve: (one, other) => {
    const a = asArray(one), b = asArray(other);
    const out = new Arr([a.size + b.size - 1]);
    for (let i = 0; i < a.size; i++) for (let j = 0; j < b.size; j++) out.data[i + j] += a.data[i] * b.data[j];
    return out;
  },
  pad: (array, widths) => {
    const each = (place) => Array.isArray(widths) ? (Array.isArray(widths[0]) ? widths[place] : widths) : [widths, widths];
    const [top, bottom] = array.ndim === 2 ? each(0) : [0, 0], [left, right] = each(array.ndim - 1);
    const columns = array.columns + left + right, rows = array.rows + top + bottom;
    const out = new Arr(array.ndim === 2 ? [rows, columns] : [columns]);
    for (let y = 0; y < array.rows; y++) for (let x = 0; x < array.columns; x++) out.data[(y + top) * columns + x + left] = array.data[y * array.columns + x];
    return out;
  },
  ascontiguousarray: asArray,
  diag: (values, place) => {
    const by = typeof place === "number" ? place : 0, along = asArray(values), count = along.size + Math.abs(by);
    const out = new Arr([count, count]);
    for (let i = 0; i < along.size; i++) out.data[(i + Math.max(0, -by)) * count + i + Math.max(0, by)] = along.data[i];
    return out;
  },
  vander: (values, count, options) => {
    const out = new Arr([values.size, count]), rising = options && options.increasing;
    for (let y = 0; y < values.size; y++) for (let x = 0; x < count; x++) out.data[y * count + x] = values.data[y] ** (rising ? x : count - 1 - x);
    return out;
  },
  polynomial_polynomial_polyval: (x, coefficients) => Array.from(asArray(coefficients).data).reduceRight((sum, c) => py.add(py.mul(sum, x), c), py.mul(x, 0)),
  i0: elementwise((x) => {
    let sum = 1, term = 1;
    for (let k = 1; term > 1e-17 * sum; k++) { term *= (x / (2 * k)) ** 2; sum += term; }
    return sum;
  }),
  kaiser: (count, beta) => asArray(range(count).map((i) => count === 1 ? 1 : np.i0(beta * Math.sqrt(Math.max(0, 1 - (2 * i / (count - 1) - 1) ** 2))) / np.i0(beta))),
  // By reflections, which keep the columns at right angles to the last digits; signs differ from LAPACK's in places.
  linalg_qr: (matrix) => {
    const rest = matrix.copy(), {rows, columns} = matrix, mirrors = [];
    const reflect = (array, v, from) => {
      for (let x = 0; x < array.columns; x++) {
        let sum = 0;
        for (let y = from; y < rows; y++) sum += v[y] * array.data[y * array.columns + x];
        for (let y = from; y < rows; y++) array.data[y * array.columns + x] -= 2 * sum * v[y];
      }
    };
    for (let k = 0; k < columns; k++) {
      const v = new Float64Array(rows);
      for (let y = k; y < rows; y++) v[y] = rest.data[y * columns + k];
      v[k] += (v[k] < 0 ? -1 : 1) * Math.hypot(...v);
      const length = Math.hypot(...v) || 1;
      mirrors.push(v.map((each) => each / length));
      reflect(rest, mirrors[k], k);
    }
    const q = new Arr([rows, columns]);
    for (let k = 0; k < columns; k++) q.data[k * columns + k] = 1;
    for (let k = columns - 1; k >= 0; k--) reflect(q, mirrors[k], k);
    const r = new Arr([columns, columns]);
    for (let y = 0; y < columns; y++) for (let x = y; x < columns; x++) r.data[y * columns + x] = rest.data[y * columns + x];
    return [q, r];
  },
  linalg_solve: (matrix, right) => {
    const n = matrix.rows, a = matrix.data.slice(), b = right.data.slice();
    for (let k = 0; k < n; k++) {
      let pivot = k;
      for (let y = k + 1; y < n; y++) if (Math.abs(a[y * n + k]) > Math.abs(a[pivot * n + k])) pivot = y;
      for (let x = 0; x < n; x++) [a[k * n + x], a[pivot * n + x]] = [a[pivot * n + x], a[k * n + x]];
      [b[k], b[pivot]] = [b[pivot], b[k]];
      for (let y = k + 1; y < n; y++) {
        const by = a[y * n + k] / a[k * n + k];
        for (let x = k; x < n; x++) a[y * n + x] -= by * a[k * n + x];
        b[y] -= by * b[k];
      }
    }
    for (let k = n - 1; k >= 0; k--) {
      for (let x = k + 1; x < n; x++) b[k] -= a[k * n + x] * b[x];
      b[k] /= a[k * n + k];
    }
    return asArray(b);
  },
  fft_fftfreq: (count) => asArray(range(count).map((i) => (i < (count + 1) >> 1 ? i : i - count) / count)),
  // Complex numbers are two arrays, `real` and `imag`.
  fft_ifft2: (array) => {
    const {rows, columns} = array, real = array.copy(), imag = np.zeros_like(array);
    const pass = (start, step, count) => {
      const places = range(count).map((i) => start + i * step);
      const [a, b] = transformed(places.map((p) => real.data[p]), places.map((p) => imag.data[p]), 1);
      places.forEach((p, i) => { real.data[p] = a[i] / count; imag.data[p] = b[i] / count; });
    };
    for (let y = 0; y < rows; y++) pass(y * columns, 1, columns);
    for (let x = 0; x < columns; x++) pass(x, columns, rows);
    return {real, imag};
  },
  fft_fftshift: ({real, imag}) => {
    const shifted = (array) => {
      const {rows, columns} = array, out = np.zeros_like(array);
      for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) out.data[(y + (rows >> 1)) % rows * columns + (x + (columns >> 1)) % columns] = array.data[y * columns + x];
      return out;
    };
    return {real: shifted(real), imag: shifted(imag)};
  },
};
