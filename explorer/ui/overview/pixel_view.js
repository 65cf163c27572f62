const PAUSE = 350 // milliseconds after a key: several presses are one question
const MARGIN = { left: 52, right: 12, top: 12, bottom: 24 }

function drawTable(root, data) {
  const body = root.querySelector("tbody")
  body.replaceChildren()
  for (const channel of data.channels) {
    const row = child(body, "tr", "")
    const name = child(row, "td", "")
    const key = svg(name, "svg", { class: "key", width: 22, height: 8, "aria-hidden": "true" })
    const look = { stroke: channel.colour, "stroke-width": 3, "stroke-dasharray": channel.dash }
    svg(key, "line", { x1: 0, x2: 22, y1: 4, y2: 4, ...look })
    name.append(channel.name)
    child(row, "td", "", channel.value)
    child(row, "td", "", channel.gradient)
    child(row, "td", "sign", channel.sign)
    child(row, "td", "step", channel.step)
  }
}

function drawChart(root, data) {
  const chart = root.querySelector(".chart")
  chart.replaceChildren()
  const [width, height] = [chart.clientWidth, chart.clientHeight]
  if (!width) return
  const isKnown = data.channels.some((channel) => channel.path.length)
  root.querySelector(".caption").textContent = isKnown
    ? `The change after each of ${data.steps} steps, in levels of 255; it never leaves ±ε.`
    : `The allowed change, in levels of 255: ε = ${data.epsilon_text} up or down.`
  const inner = { width: width - MARGIN.left - MARGIN.right,
    height: height - MARGIN.top - MARGIN.bottom }
  const x = (step) => MARGIN.left + (inner.width * step) / data.steps
  const y = (change) => MARGIN.top + inner.height * (0.5 - change / (2.2 * data.epsilon))
  for (const [value, name] of [[data.epsilon, "+ε"], [0, "0"], [-data.epsilon, "−ε"]]) {
    const look = { class: value ? "bound" : "axis" }
    svg(chart, "line", { x1: x(0), x2: x(data.steps), y1: y(value), y2: y(value), ...look })
    svg(chart, "text", { x: MARGIN.left - 8, y: y(value) + 4, "text-anchor": "end" }, name)
  }
  const last = data.steps
  svg(chart, "text", { x: x(0), y: height - 6 }, "step 0")
  svg(chart, "text", { x: x(last), y: height - 6, "text-anchor": "end" }, `step ${last}`)
  data.channels.forEach((channel, i) => {
    // Lines that lie on each other are moved apart by a pixel or two.
    const points = channel.path.map((change, step) => `${x(step)},${y(change) + 2.5 * (i - 1)}`)
    svg(chart, "polyline", { points: points.join(" "), fill: "none", stroke: channel.colour,
      "stroke-width": 3, "stroke-dasharray": channel.dash })
  })
  const ends = data.channels.filter((channel) => channel.path.length)
    .map((channel) => `${channel.name} ends at ${channel.path.at(-1).toFixed(2)}`)
  chart.setAttribute("aria-label", `change of the pixel in each step: ${ends.join(", ")}`)
}

class PixelView {
  constructor(root) {
    this.root = root
    this.picture = root.querySelector(".picture")
    this.picture.onclick = (event) => this.click(event)
    this.picture.onkeydown = (event) => this.press(event)
    this.resize = new ResizeObserver(() => this.data && drawChart(this.root, this.data))
    this.resize.observe(root.querySelector(".chart"))
  }

  update(component, data) {
    this.component = component
    this.data = data
    if (!this.waiting) this.pixel = data.pixel
    const image = this.root.querySelector(".whole")
    if (image.src !== data.src) image.src = data.src
    image.alt = data.alt
    drawTable(this.root, data)
    drawChart(this.root, data)
    this.mark()
  }

  mark() {
    const [row, column] = this.pixel
    const ring = this.root.querySelector(".ring")
    ring.style.top = `${(100 * (row + 0.5)) / this.data.height}%`
    ring.style.left = `${(100 * (column + 0.5)) / this.data.width}%`
    const help = "arrow keys move, with Shift by ten pixels"
    this.picture.setAttribute("aria-label", `Pixel in row ${row}, column ${column}: ${help}`)
  }

  move(row, column) {
    const within = (value, size) => Math.min(size - 1, Math.max(0, value))
    this.pixel = [within(row, this.data.height), within(column, this.data.width)]
    this.mark()
  }

  click(event) {
    const box = this.picture.getBoundingClientRect()
    const row = Math.floor(((event.clientY - box.top) / box.height) * this.data.height)
    const column = Math.floor(((event.clientX - box.left) / box.width) * this.data.width)
    this.move(row, column)
    this.ask()
  }

  press(event) {
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }
    const move = moves[event.key]
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    const length = event.shiftKey ? 10 : 1
    this.move(this.pixel[0] + length * move[0], this.pixel[1] + length * move[1])
    clearTimeout(this.waiting)
    this.waiting = setTimeout(() => this.ask(), PAUSE)
  }

  ask() {
    clearTimeout(this.waiting)
    this.waiting = null
    this.component.setTriggerValue("pixel", this.pixel)
  }

  close() {
    clearTimeout(this.waiting)
    this.resize.disconnect()
  }
}

const views = new WeakMap()

export default function (component) {
  if (!component.data) return undefined
  const { parentElement } = component
  const [data] = component.data
  let view = views.get(parentElement)
  if (!view) {
    view = new PixelView(parentElement)
    views.set(parentElement, view)
  }
  view.update(component, data)
  return () => {
    view.close()
    views.delete(parentElement)
  }
}
