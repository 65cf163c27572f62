// The curves of confidence against ε, part of the live ε, whose slider has the same scale.
// Lengths are in pixels of usual type: see typeScale.
const LEFT = 44
const RIGHT = 16
const HEIGHT = 166
const TOP = 10
const BOTTOM = 38 // the labels of the ticks, and the axis title below them
const AXIS_TITLE = "ε, on a square-root scale: small values have more room"
const TICK_GAP = 42

const rounded = (value) => Number(value.toFixed(4)).toString()

/** Powers of two as far apart as their labels need on this width, from 0 to the largest ε. */
function ticks(largest, width) {
  const place = (value) => width * Math.sqrt(value / largest)
  const values = [0]
  for (let power = -8; 2 ** power < largest; power += 1) {
    const value = 2 ** power
    const far = place(value) - place(values[values.length - 1]) >= TICK_GAP
    if (far && width - place(value) >= TICK_GAP) values.push(value)
  }
  return [...values, largest]
}

/** The curves over ε, on the scale of the slider: the root, as classifiers give way at small ε. */
class EpsilonChart {
  constructor(root, live) {
    Object.assign(this, { root, live })
    live.followPointer(root, () => this.root.getBoundingClientRect().left + this.scale * LEFT,
      () => this.scale * this.span)
  }

  get span() { return this.width - LEFT - RIGHT }

  x(value) { return LEFT + this.span * this.live.place(value) }

  y(probability) { return TOP + (HEIGHT - TOP - BOTTOM) * (1 - probability) }

  draw() {
    this.scale = typeScale()
    this.width = this.root.clientWidth / this.scale
    if (!this.width) return
    const { data } = this.live
    this.root.replaceChildren()
    this.root.setAttribute("viewBox", `0 0 ${this.width} ${HEIGHT}`)
    this.root.setAttribute("aria-label", `confidence against ${AXIS_TITLE} (${data.norm})`)
    for (const value of [0, 0.5, 1]) {
      const y = this.y(value)
      svg(this.root, "line", { class: "grid", x1: LEFT, x2: this.width - RIGHT, y1: y, y2: y })
      const at = { x: LEFT - 6, y: y + 4, "text-anchor": "end" }
      svg(this.root, "text", { class: "tick", ...at }, `${100 * value} %`)
    }
    for (const value of ticks(data.largest, this.span)) {
      const isLast = value === data.largest
      const isLong = isLast && data.suffix
      const at = { x: this.x(value), y: HEIGHT - 21, "text-anchor": isLong ? "end" : "middle" }
      if (isLong) at.x += RIGHT
      svg(this.root, "text", { class: "tick", ...at }, rounded(value) + (isLast ? data.suffix : ""))
    }
    const middle = { x: LEFT + this.span / 2, y: HEIGHT - 4, "text-anchor": "middle" }
    svg(this.root, "text", { class: "tick", ...middle }, AXIS_TITLE)
    for (const ladder of data.ladders) this.drawLadder(ladder)
    this.cursor = svg(this.root, "line", { class: "cursor", y1: TOP - 6, y2: HEIGHT - BOTTOM })
    this.move()
  }

  drawLadder(ladder) {
    // In L2 the ladders of larger pictures go further than the slider, which is that of the first.
    const inRange = (point) => this.live.valueOf(point) <= this.live.data.largest
    const points = this.live.points(ladder).filter(inRange)
    for (const curve of ladder.curves) {
      const at = (point) => [
        this.x(this.live.valueOf(point)), this.y(point.probabilities[curve.of]),
      ]
      const line = { fill: "none", stroke: curve.colour, "stroke-width": 2 }
      const path = points.map((point) => at(point).join(",")).join(" ")
      const dash = { "stroke-dasharray": curve.dash, "stroke-linejoin": "round" }
      svg(this.root, "polyline", { points: path, ...line, ...dash })
      for (const point of points) {
        const [cx, cy] = at(point)
        const isExact = point === ladder.exact
        const look = isExact ? { r: 5, ...line } : { r: 2.5, fill: curve.colour }
        svg(this.root, "circle", { cx, cy, ...look })
      }
    }
    const smallest = points.find((point) => point.success)
    if (smallest && smallest.epsilon > 0) this.drawSmallest(ladder, smallest)
  }

  drawSmallest(ladder, point) {
    const x = this.x(this.live.valueOf(point))
    const line = { class: "smallest", x1: x, x2: x, y1: TOP - 6, y2: HEIGHT - BOTTOM }
    const shape = svg(this.root, "line", line)
    const name = ladder.title ? `${ladder.title}: ` : ""
    svg(shape, "title", {}, `${name}smallest ε found: ${point.text}`)
  }

  move() {
    if (!this.cursor) return
    const x = this.x(this.live.value)
    this.cursor.setAttribute("x1", x)
    this.cursor.setAttribute("x2", x)
  }
}

