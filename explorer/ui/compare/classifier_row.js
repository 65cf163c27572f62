const RESULT = 2 // the adversarial picture, which follows "="

function place(element, column, narrowRow, narrowColumn) {
  element.style.setProperty("--column", String(column))
  element.style.setProperty("--narrow-row", String(narrowRow))
  element.style.setProperty("--narrow-column", String(narrowColumn))
}

function buildFigure(parent, index) {
  const figure = child(parent, "figure", ["original", "change", "result", "noise"][index])
  const title = child(figure, "div", "picture-title")
  const picture = child(figure, "div", "picture")
  const img = child(picture, "img", "")
  const empty = child(picture, "div", "place")
  const caption = child(figure, "figcaption", "")
  const parts = { title, frame: picture, img, empty }
  for (const name of ["name", "confidence", "note"]) parts[name] = child(caption, "span", name)
  for (const part of [title, picture, caption]) {
    place(part, 2 * index + 1, Math.floor(index / 2), index % 2 === 0 ? 1 : 3)
  }
  return parts
}

function build(root) {
  const find = (selector) => root.querySelector(selector)
  const pictures = find(".pictures")
  const figures = []
  const operators = []
  for (let i = 0; i < 4; i += 1) {
    figures.push(buildFigure(pictures, i))
    if (i < RESULT) {
      const operator = child(pictures, "div", i === 0 ? "operator" : "operator equals")
      place(operator, 2 * i + 2, i, 2)
      operators.push(operator)
    }
  }
  const measures = find(".measures")
  child(measures, "span", "", "measured")
  return {
    pictures,
    figures,
    operators,
    distances: child(measures, "span", "distances"),
    cost: child(measures, "span", "cost"),
    row: find(".row"),
    title: find(".title"),
    training: find(".training"),
    mark: find(".mark"),
    sentence: find(".sentence"),
    bars: find(".bars"),
  }
}

function drawPicture(parts, picture) {
  parts.title.textContent = picture.title
  parts.img.hidden = !picture.src
  parts.empty.hidden = Boolean(picture.src)
  parts.img.decoding = "sync" // no empty picture while ε moves
  if (picture.src && parts.img.src !== picture.src) parts.img.src = picture.src
  parts.img.alt = picture.alt
  parts.name.textContent = picture.name
  parts.name.style.setProperty("--mark", picture.colour ?? "currentColor")
  parts.confidence.textContent = picture.confidence
  parts.note.textContent = picture.note ?? ""
}

function drawBars(bars, classes) {
  bars.replaceChildren()
  for (const { name, role, bars: values } of classes) {
    const group = child(bars, "div", "class")
    group.setAttribute("role", "listitem")
    const label = child(group, "span", "class-name", name)
    label.title = name
    if (role) child(label, "span", "role", ` ${role}`)
    for (const { picture, colour, value, text } of values) {
      const bar = child(group, "div", "bar")
      bar.style.setProperty("--picture", colour)
      child(bar, "span", "picture-name", picture)
      const fill = child(child(bar, "div", "track"), "div", "fill")
      fill.style.width = `${100 * value}%`
      child(bar, "span", "value", text)
    }
  }
}

/** The bars at another ε, for which no noise was computed. */
function barsOf(point, data) {
  const pictures = data.bars[0].bars
  return point.bars.slice(0, data.bars.length).map(({ name, role, before, after }) => ({
    name,
    role,
    bars: pictures.map(({ picture, colour }, i) => {
      if (i > 0 && i < pictures.length - 1) return { picture, colour, value: 0, text: "–" }
      const value = i === 0 ? before : after
      return { picture, colour, value, text: confidenceText(value) }
    }),
  }))
}

/** Fill in what an attack changes. For another ε the original stays: there are two pictures then. */
function fill(view, data) {
  view.mark.textContent = `${data.mark.icon} ${data.mark.word}`
  view.mark.style.setProperty("--mark", data.mark.colour)
  view.sentence.textContent = data.verdict
  const first = data.pictures.length === 2 ? 1 : 0
  data.pictures.forEach((picture, i) => drawPicture(view.figures[first + i], picture))
  data.operators.forEach((text, i) => {
    view.operators[i].textContent = text
    view.operators[i].classList.toggle("long", text.length > 12) // "+ 31.3145/255 ×"
  })
  drawMeasures(view.distances, data.measures)
}

const views = new WeakMap()

// By the key of each row: a function that shows the attack with another ε, or the own one for null.
// The component that moves ε calls it.
const showing = (globalThis.explorerTriptychs ??= new Map())
// By the same key: what it was last told to show. A run of the page while the exact attack is
// computed draws the row again, and the picture stays at the slider's ε.
const told = (globalThis.explorerRowsTold ??= new Map())

export default function (component) {
  if (!component.data) return
  const { parentElement } = component
  const [data] = component.data
  let view = views.get(parentElement)
  if (!view) {
    view = build(parentElement)
    const [original, change, adversarial, noise] = view.figures.map((parts) => parts.frame)
    const tools = parentElement.querySelector(".tools")
    // The first picture is laid over the last one.
    view.closer = new Closer(view.pictures, [original, change, noise, adversarial], tools)
    views.set(parentElement, view)
  }
  const isNew = view.figures[0].img.src !== data.pictures[0].src
  view.row.style.setProperty("--classifier", data.colour)
  view.title.textContent = data.title
  view.training.textContent = data.training
  view.pictures.classList.toggle("pixelated", data.pixelated)
  view.cost.textContent = data.cost
  view.cost.title = data.stages
  const show = (shown, point) => {
    told.set(data.place, [shown, point])
    fill(view, shown ?? data)
    drawBars(view.bars, shown ? barsOf(point, data) : data.bars)
    // Noise and time are those of the exact attack.
    view.row.classList.toggle("moved", Boolean(shown))
    // A screen reader hears the slider's own words while ε moves.
    view.mark.parentElement.setAttribute("aria-live", shown ? "off" : "polite")
  }
  show(...(told.get(data.place) ?? [null]))
  view.closer.update(isNew)
  showing.set(data.place, show)
}
