// Lengths are in pixels of usual type: see typeScale.
const LEFT = 46
const RIGHT = 14
const HEIGHT = 200
const TOP = 8
const BOTTOM = 22

function short(value) {
  return Number(value.toPrecision(3)).toString()
}

function drawGrid(root, data, x, y, width, most) {
  for (const value of [0, most / 2, most]) {
    svg(root, "line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) })
    const place = { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }
    svg(root, "text", { class: "tick", ...place }, short(value))
  }
  for (const step of new Set([0, Math.round(data.steps / 2), data.steps])) {
    const anchor = step === 0 ? "start" : step === data.steps ? "end" : "middle"
    const place = { x: x(step), y: HEIGHT - 4, "text-anchor": anchor }
    svg(root, "text", { class: "tick", ...place }, `step ${step}`)
  }
}

function drawChart(box, data) {
  const root = box.querySelector("svg")
  const width = box.clientWidth / typeScale()
  if (!width) return
  const most = Math.max(...data.values, 1e-9)
  const x = (step) => LEFT + ((width - LEFT - RIGHT) * step) / Math.max(1, data.steps)
  const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / most)
  root.replaceChildren()
  root.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`)
  root.setAttribute("aria-label", `${data.unit} against the step`)
  drawGrid(root, data, x, y, width, most)
  const points = data.values.map((value, step) => `${x(step)},${y(value)}`).join(" ")
  const stroke = { stroke: data.colour, "stroke-width": 2.5, "stroke-linejoin": "round" }
  svg(root, "polyline", { points, fill: "none", ...stroke })
  const last = data.values.length - 1
  svg(root, "circle", { cx: x(last), cy: y(data.values[last]), r: 4.5, fill: data.colour })
}

function fillPicture(figure, picture) {
  const image = figure.querySelector("img")
  image.classList.toggle("pixelated", picture.pixelated)
  image.decoding = "sync" // no empty picture between two frames
  if (image.src !== picture.src) image.src = picture.src
  image.alt = picture.text
  figure.querySelector("figcaption").textContent = picture.text
}

function fillReading(reading, data) {
  const value = data.values[data.values.length - 1]
  reading.replaceChildren()
  reading.append(`${data.name}: ${data.unit} `)
  const number = document.createElement("b")
  number.textContent = short(value)
  reading.append(number, ` (at the start ${short(data.values[0])})`)
}

// Each frame is a new component in the place of the last one. Without a reserved height, the page
// below would jump up and down in between.
function reserveHeight(parentElement) {
  const place = parentElement.getRootNode().host?.closest(".st-key-build-place")
  if (!place) return
  place.style.minHeight = ""
  place.style.minHeight = `${place.offsetHeight}px`
}

const charts = new WeakMap()

export default function (component) {
  if (!component.data) return undefined
  const { parentElement } = component
  const [data] = component.data
  const box = parentElement.querySelector(".chart")
  fillPicture(parentElement.querySelector(".start"), data.start)
  fillPicture(parentElement.querySelector(".current"), data.current)
  fillReading(parentElement.querySelector(".reading"), data)
  parentElement.querySelector(".note").textContent = data.note
  let chart = charts.get(parentElement)
  if (!chart) {
    const draw = () => {
      drawChart(box, chart.data)
      reserveHeight(parentElement)
    }
    chart = { resize: new ResizeObserver(draw) }
    charts.set(parentElement, chart)
  }
  chart.data = data
  chart.resize.observe(box)
  drawChart(box, data)
  reserveHeight(parentElement)
  return () => {
    chart.resize.disconnect()
    charts.delete(parentElement)
  }
}
