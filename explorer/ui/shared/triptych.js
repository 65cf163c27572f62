const NAMES = ["original", "perturbation", "adversarial"]

function buildFigure(row) {
  const figure = child(row, "figure", "")
  const parts = {
    figure,
    title: child(figure, "div", "title"),
    img: child(child(figure, "div", "picture"), "img", ""),
  }
  const caption = child(figure, "figcaption", "")
  parts.name = child(caption, "span", "name")
  parts.confidence = child(caption, "span", "confidence")
  return parts
}

function build(root) {
  const row = root.querySelector(".row")
  const figures = []
  const operators = []
  for (let i = 0; i < 3; i += 1) {
    if (i > 0) operators.push(child(row, "div", i === 1 ? "operator" : "operator equals"))
    figures.push(buildFigure(row))
  }
  const measures = root.querySelector(".measures")
  child(measures, "span", "", "measured")
  const distances = child(measures, "span", "distances")
  const cost = child(measures, "span", "cost")
  const [mark, sentence] = [".mark", ".sentence"].map((name) => root.querySelector(name))
  figures[1].figure.classList.add("change")
  const view = { row, figures, operators, mark, sentence, distances, cost }
  buildChoice(view, root.querySelector(".tools"))
  return view
}

/** Where there is room for one picture only, these buttons choose which; CSS hides them elsewhere. */
function buildChoice(view, tools) {
  const buttons = NAMES.map((name, i) => {
    const button = child(view.row, "button", "choice", name)
    button.type = "button"
    button.onclick = () => choose(i)
    return button
  })
  const choose = (chosen) => {
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(i === chosen)))
    view.figures.forEach(({ figure }, i) => figure.classList.toggle("chosen", i === chosen))
    view.operators.forEach((each, i) => each.classList.toggle("chosen", i + 1 === chosen))
  }
  choose(2)
  // Blink, and before and after, lay the original over the adversarial image.
  tools.addEventListener("click", (event) => {
    if (event.target.getAttribute("aria-pressed")) choose(2)
  })
}

function place(view) {
  // Columns 1, 3, 5 hold the pictures; the style sheet sets the rows, and one column if narrow.
  view.figures.forEach((parts, i) => {
    for (const part of [parts.title, parts.img.parentElement, parts.name.parentElement]) {
      part.style.setProperty("--column", String(2 * i + 1))
    }
  })
  view.operators.forEach((operator, i) => operator.style.setProperty("--column", String(2 * i + 2)))
}

/** Fill in what an attack changes. For another ε the original stays: there are two pictures then. */
function fill(view, data) {
  view.mark.textContent = `${data.mark.icon} ${data.mark.word}`
  view.mark.style.setProperty("--mark", data.mark.colour)
  // A space in the markup would be text that moves when this comes.
  view.sentence.textContent = ` ${data.verdict}`
  const first = view.figures.length - data.pictures.length
  data.pictures.forEach((picture, i) => {
    const parts = view.figures[first + i]
    parts.title.textContent = picture.title
    parts.img.decoding = "sync" // no empty picture while ε moves
    if (parts.img.src !== picture.src) parts.img.src = picture.src
    parts.img.alt = picture.alt
    parts.name.textContent = picture.name
    parts.name.style.setProperty("--mark", picture.colour ?? "currentColor")
    parts.confidence.textContent = picture.confidence
  })
  data.operators.forEach((text, i) => { view.operators[i].textContent = text })
  drawMeasures(view.distances, data.measures)
}

const views = new WeakMap()

// By the key of each triptych: a function that shows the attack with another ε, or the own one for
// null. The component that moves ε calls it.
const showing = (globalThis.explorerTriptychs ??= new Map())
// By the same key: what it was last told to show. A run of the page while the exact attack is
// computed draws the triptych again, and the picture stays at the slider's ε.
const told = (globalThis.explorerTriptychsTold ??= new Map())

export default function (component) {
  if (!component.data) return
  const { parentElement } = component
  const [data] = component.data
  let view = views.get(parentElement)
  if (!view) {
    view = build(parentElement)
    place(view)
    const frames = view.figures.map((parts) => parts.img.parentElement)
    view.closer = new Closer(view.row, frames, parentElement.querySelector(".tools"))
    views.set(parentElement, view)
  }
  const isNew = view.figures[0].img.src !== data.pictures[0].src
  view.row.classList.toggle("pixelated", data.pixelated)
  view.cost.textContent = data.cost
  view.cost.title = data.stages
  view.row.dataset.timing = JSON.stringify(data.timing)
  view.closer.update(isNew)
  const show = (shown) => {
    told.set(data.place, shown)
    fill(view, shown ?? data)
    view.cost.style.visibility = shown ? "hidden" : "" // it is the time of the exact attack
    // A screen reader hears the slider's own words while ε moves.
    view.mark.parentElement.setAttribute("aria-live", shown ? "off" : "polite")
  }
  showing.set(data.place, show)
  show(told.get(data.place) ?? null)
}
