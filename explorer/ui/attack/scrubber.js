// Lengths are in pixels of usual type: see typeScale.
const LEFT = 46
const RIGHT = 10
const HEIGHT = 116
const TOP = 6
const BOTTOM = 20
const PLAY_SECONDS = 4

function format(value, unit) {
  return unit === "%" ? confidenceText(value) : Number(value.toPrecision(3)).toString()
}

function range(chart) {
  if (chart.unit === "%") return [0, 1]
  const values = chart.curves.flatMap((curve) => curve.values)
  const low = Math.min(...values)
  const high = Math.max(...values)
  return high > low ? [low, high] : [low - 0.5, high + 0.5]
}

/** One chart: curves over the steps, a ring at the kept step, and a cursor at the current step. */
class Chart {
  constructor(parent, chart, steps, keptStep, last, onPick) {
    Object.assign(this, { chart, steps, keptStep, last })
    const box = child(parent, "div", "chart")
    this.legend = child(box, "div", "legend")
    const label = `${chart.title} against the step`
    this.svg = svg(box, "svg", { role: "img", "aria-label": label })
    this.svg.style.height = `${HEIGHT / USUAL_TYPE}rem`
    const pick = (event) => {
      const left = this.svg.getBoundingClientRect().left
      const x = (event.clientX - left) / typeScale() - LEFT
      const fraction = x / (this.width - LEFT - RIGHT)
      onPick(Math.round(Math.min(1, Math.max(0, fraction)) * steps))
    }
    this.svg.onpointerdown = (event) => { this.svg.setPointerCapture(event.pointerId); pick(event) }
    this.svg.onpointermove = (event) => { if (event.buttons) pick(event) }
  }

  x(step) { return LEFT + (this.width - LEFT - RIGHT) * (this.steps ? step / this.steps : 0) }

  y(value) {
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - this.low) / (this.high - this.low))
  }

  draw(width) {
    this.width = width
    const [low, high] = range(this.chart)
    Object.assign(this, { low, high })
    this.svg.replaceChildren()
    this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`)
    for (const value of [low, (low + high) / 2, high]) {
      const y = this.y(value)
      svg(this.svg, "line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y, y2: y })
      const place = { x: LEFT - 6, y: y + 4, "text-anchor": "end" }
      const label = svg(this.svg, "text", { class: "tick", ...place })
      label.textContent = this.chart.unit === "%" ? `${100 * value} %` : format(value, "")
    }
    if (this.last) this.drawSteps()
    for (const curve of this.chart.curves) this.drawCurve(curve)
    this.cursor = svg(this.svg, "line", { class: "cursor", y1: TOP, y2: HEIGHT - BOTTOM })
  }

  drawSteps() {
    for (const step of new Set([0, Math.round(this.steps / 2), this.steps])) {
      const anchor = step === 0 ? "start" : step === this.steps ? "end" : "middle"
      const place = { x: this.x(step), y: HEIGHT - 4, "text-anchor": anchor }
      const label = svg(this.svg, "text", { class: "tick", ...place })
      label.textContent = `step ${step}`
    }
  }

  drawCurve(curve) {
    const points = curve.values.map((value, step) => `${this.x(step)},${this.y(value)}`).join(" ")
    const line = { fill: "none", stroke: curve.colour, "stroke-width": 2 }
    const dash = { "stroke-dasharray": curve.dash, "stroke-linejoin": "round" }
    svg(this.svg, "polyline", { points, ...line, ...dash })
    const place = { cx: this.x(this.keptStep), cy: this.y(curve.values[this.keptStep]) }
    svg(this.svg, "circle", { ...place, r: 4.5, ...line })
  }

  setCursor(step) {
    this.cursor.setAttribute("x1", this.x(step))
    this.cursor.setAttribute("x2", this.x(step))
    this.legend.replaceChildren()
    for (const curve of this.chart.curves) {
      const key = child(this.legend, "span", "key")
      const sample = svg(key, "svg", { width: 22, height: 8, "aria-hidden": "true" })
      sample.style.width = "22px"
      const line = { stroke: curve.colour, "stroke-width": 2.5, "stroke-dasharray": curve.dash }
      svg(sample, "line", { x1: 0, x2: 22, y1: 4, y2: 4, ...line })
      child(key, "span", "", this.chart.curves.length > 1 ? curve.name : this.chart.title)
      child(key, "span", "value", format(curve.values[step], this.chart.unit))
    }
  }
}

/** The whole component for one attack; another attack gets a new one. */
class Scrubber {
  constructor(root, data) {
    this.root = root
    this.data = data
    const all = Array.from({ length: data.steps + 1 }, (_, step) => step)
    this.sampled = data.sprites ? data.sprites.steps : all
    this.index = Math.max(0, this.sampled.indexOf(data.kept_step))
    const charts = root.querySelector(".charts")
    charts.replaceChildren()
    const onPick = (step) => this.nearest(step)
    this.charts = data.charts.map((chart, i) =>
      new Chart(charts, chart, data.steps, data.kept_step, i === data.charts.length - 1, onPick))
    this.prepareControls()
    this.prepareFrame()
    this.resize = new ResizeObserver(() => this.layout())
    this.resize.observe(charts)
    this.layout()
  }

  find(selector) { return this.root.querySelector(selector) }

  prepareControls() {
    const slider = this.find(".slider")
    slider.max = this.sampled.length - 1
    slider.setAttribute("aria-label", "step of the attack")
    slider.oninput = () => { this.pause(); this.show(Number(slider.value)) }
    this.find(".play").onclick = () => (this.timer ? this.pause() : this.play())
    this.pause()
  }

  prepareFrame() {
    const canvas = this.find(".frame")
    const { sprites } = this.data
    canvas.hidden = !sprites
    if (!sprites) return
    canvas.width = sprites.width
    canvas.height = sprites.height
    canvas.classList.toggle("pixelated", this.data.pixelated)
    this.sheet = new Image()
    this.sheet.onload = () => this.show(this.index)
    this.sheet.src = sprites.sheet
  }

  layout() {
    const width = this.find(".charts").clientWidth
    if (!width) return
    for (const chart of this.charts) chart.draw(width / typeScale())
    this.show(this.index)
  }

  nearest(step) {
    this.pause()
    const gaps = this.sampled.map((each) => Math.abs(each - step))
    this.show(gaps.indexOf(Math.min(...gaps)))
  }

  play() {
    if (this.index === this.sampled.length - 1) this.show(0)
    const pause = Math.max(40, (1000 * PLAY_SECONDS) / this.sampled.length)
    this.timer = setInterval(() => {
      this.show(this.index + 1)
      if (this.index === this.sampled.length - 1) this.pause()
    }, pause)
    this.find(".play").textContent = "❚❚ Pause"
  }

  pause() {
    clearInterval(this.timer)
    this.timer = null
    this.find(".play").textContent = "▶ Play"
  }

  show(index) {
    this.index = Math.min(index, this.sampled.length - 1)
    const step = this.sampled[this.index]
    const { data } = this
    const slider = this.find(".slider")
    slider.value = this.index
    const confidence = confidenceText(data.confidence[step])
    slider.setAttribute("aria-valuetext", `step ${step}: ${data.names[step]}, ${confidence}`)
    const note = step === data.kept_step ? ` (${data.kept_note})` : ""
    this.find(".step").textContent = `Step ${step} of ${data.steps}${note}`
    this.find(".name").textContent = data.names[step]
    this.find(".confidence").textContent = `${confidence} confidence`
    const outcome = data.success[step] ? "✗ fooled at this step" : "✓ not fooled at this step"
    this.find(".outcome").textContent = outcome
    this.find(".distance").textContent = `${data.distance[step]} from the original`
    for (const chart of this.charts) if (chart.cursor) chart.setCursor(step)
    this.paint()
  }

  paint() {
    const { sprites } = this.data
    if (!sprites || !this.sheet.complete) return
    const left = (this.index % sprites.columns) * sprites.width
    const top = Math.floor(this.index / sprites.columns) * sprites.height
    const canvas = this.find(".frame")
    canvas.setAttribute("aria-label", `the image at step ${sprites.steps[this.index]}`)
    const { width, height } = sprites
    canvas.getContext("2d").drawImage(this.sheet, left, top, width, height, 0, 0, width, height)
  }

  close() {
    this.pause()
    this.resize.disconnect()
  }
}

const scrubbers = new WeakMap()

export default function (component) {
  if (!component.data) return undefined
  const { parentElement } = component
  const [data] = component.data
  const current = scrubbers.get(parentElement)
  if (!current || current.data.id !== data.id) {
    if (current) current.close()
    scrubbers.set(parentElement, new Scrubber(parentElement, data))
  }
  return () => {
    const last = scrubbers.get(parentElement)
    if (last) last.close()
    scrubbers.delete(parentElement)
  }
}
