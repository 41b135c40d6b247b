// The shape of a chart.

/** The scale's end: the first of 1, 2, 5, 10, 20 … that is not below the largest value. */
export function scaleEnd(values) {
  const largest = Math.max(1, ...values);
  const power = 10 ** Math.floor(Math.log10(largest));
  return [1, 2, 5, 10].map((step) => step * power).find((end) => end >= largest);
}

/**
 * The paths of SVG for a line and the area below it. The newest point is at the right edge; `window` milliseconds are as
 * wide as the chart.
 */
export function shape(points, { width, height, window }) {
  if (points.length === 0) return { line: "", area: "", end: 1 };
  const end = scaleEnd(points.map(({ value }) => value));
  const newest = points.at(-1).at;
  const round = (number) => Math.round(number * 10) / 10;
  const places = points.map(({ at, value }) => [
    round(width - ((newest - at) / window) * width),
    round(height - (value / end) * height),
  ]);
  const line = "M" + places.map(([x, y]) => `${x} ${y}`).join("L");
  return { line, area: `${line}L${places.at(-1)[0]} ${height}L${places[0][0]} ${height}Z`, end };
}
