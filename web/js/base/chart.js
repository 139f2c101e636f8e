// Small line charts as SVG, with axes, labels and a text alternative.

import { svg } from "./markup.js";

/** Size in the chart's own units. */
const WIDTH = 420;
const HEIGHT = 250;
const MARGIN = { left: 80, right: 30, top: 12, bottom: 50 };

/**
 * @typedef {object} Axis
 * @property {string} label
 * @property {number} low the value at the axis's start
 * @property {number} high the value at its end
 * @property {{value: number, text: string}[]} ticks
 */

/**
 * @typedef {object} Point
 * @property {number} x
 * @property {number} y
 * @property {number} [low] to `high`: the interval
 * @property {number} [high]
 * @property {number} [radius] of its dot
 */

/**
 * @typedef {object} Series
 * @property {string} name the CSS class is `series-` and this, with hyphens for spaces
 * @property {Point[]} points
 * @property {boolean} [isDots] draw dots instead of a line
 */

/**
 * @param {object} chart
 * @param {string} chart.label the text alternative
 * @param {Axis} chart.x
 * @param {Axis} chart.y
 * @param {Series[]} chart.series
 * @param {{x1: number, y1: number, x2: number, y2: number}} [chart.guide] a thin line to compare with
 * @returns {SVGSVGElement}
 */
export function drawChart({ label, x, y, series, guide }) {
  const across = scale(x, MARGIN.left, WIDTH - MARGIN.right);
  const up = scale(y, HEIGHT - MARGIN.bottom, MARGIN.top);
  const chart = svg("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label });
  for (const { value, text } of y.ticks) {
    const at = up(value);
    chart.append(svg("line", { class: "grid", x1: MARGIN.left, x2: WIDTH - MARGIN.right, y1: at, y2: at }));
    chart.append(svg("text", { x: MARGIN.left - 8, y: at + 4, "text-anchor": "end" }, text));
  }
  for (const { value, text } of x.ticks) {
    chart.append(svg("text", { x: across(value), y: HEIGHT - MARGIN.bottom + 20, "text-anchor": "middle" }, text));
  }
  const middle = (HEIGHT - MARGIN.bottom + MARGIN.top) / 2;
  chart.append(svg("text", { class: "axis", x: (WIDTH + MARGIN.left) / 2, y: HEIGHT - 6, "text-anchor": "middle" }, x.label));
  chart.append(svg("text", { class: "axis", transform: `translate(14 ${middle}) rotate(-90)`, "text-anchor": "middle" }, y.label));
  if (guide) {
    chart.append(svg("line", { class: "guide", x1: across(guide.x1), y1: up(guide.y1), x2: across(guide.x2), y2: up(guide.y2) }));
  }
  for (const each of series) chart.append(drawSeries(each, across, up));
  return chart;
}

/**
 * Return the powers of ten that a logarithmic axis spans.
 *
 * @param {number[]} values at least one; those of 0 are ignored
 * @returns {{low: number, high: number, powers: number[]}} exponents
 */
export function decades(values) {
  const logs = values.filter((value) => value > 0).map(Math.log10);
  const low = logs.length ? Math.floor(Math.min(...logs)) : -1;
  const high = logs.length ? Math.max(Math.ceil(Math.max(...logs)), low + 1) : 0;
  return { low, high, powers: Array.from({ length: high - low + 1 }, (_, step) => low + step) };
}

/**
 * Return round values for ticks within a range.
 *
 * @param {number} first whole
 * @param {number} last whole, not below first
 * @param {number} most how many at most
 * @returns {number[]} whole numbers
 */
export function wholeTicks(first, last, most) {
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500].find((each) => (last - first) / each <= most - 1) ?? last - first;
  const start = step === 1 ? first : Math.ceil(first / step) * step;
  return Array.from({ length: Math.floor((last - start) / step) + 1 }, (_, index) => start + index * step);
}

/**
 * @param {Series} series
 * @param {(value: number) => number} across
 * @param {(value: number) => number} up
 * @returns {SVGGElement}
 */
function drawSeries({ name, points, isDots = false }, across, up) {
  const group = svg("g", { class: `series series-${name.replaceAll(" ", "-")}` });
  for (const { x, low, high } of points) {
    if (low === undefined || high === undefined) continue;
    group.append(svg("line", { class: "interval", x1: across(x), x2: across(x), y1: up(low), y2: up(high) }));
  }
  if (isDots) {
    group.append(...points.map(({ x, y, radius = 3 }) => svg("circle", { cx: across(x), cy: up(y), r: radius })));
  } else {
    const corners = points.map(({ x, y }) => `${across(x).toFixed(1)} ${up(y).toFixed(1)}`);
    group.append(svg("path", { d: `M${corners.join("L")}`, pathLength: 1 }));
  }
  return group;
}

/**
 * @param {Axis} axis
 * @param {number} start
 * @param {number} end
 * @returns {(value: number) => number}
 */
function scale({ low, high }, start, end) {
  return (value) => start + ((value - low) / (high - low || 1)) * (end - start);
}
