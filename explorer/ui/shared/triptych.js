function buildFigure(row) {
  const figure = child(row, "figure", "")
  const parts = {
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
    if (i > 0) operators.push(child(row, "div", "operator"))
    figures.push(buildFigure(row))
  }
  return { row, figures, operators }
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

const views = new WeakMap()

export default function (component) {
  if (!component.data) return
  const { parentElement } = component
  const [data] = component.data
  let view = views.get(parentElement)
  if (!view) {
    view = build(parentElement)
    place(view)
    views.set(parentElement, view)
  }
  const mark = parentElement.querySelector(".mark")
  mark.textContent = `${data.mark.icon} ${data.mark.word}`
  mark.style.backgroundColor = data.mark.colour
  parentElement.querySelector(".sentence").textContent = data.verdict
  view.row.classList.toggle("pixelated", data.pixelated)
  data.pictures.forEach((picture, i) => {
    const parts = view.figures[i]
    parts.title.textContent = picture.title
    if (parts.img.src !== picture.src) parts.img.src = picture.src
    parts.img.alt = picture.alt
    parts.name.textContent = picture.name
    parts.name.style.setProperty("--mark", picture.colour ?? "currentColor")
    parts.confidence.textContent = picture.confidence
  })
  data.operators.forEach((text, i) => { view.operators[i].textContent = text })
  const measures = parentElement.querySelector(".measures")
  measures.replaceChildren()
  const words = child(measures, "span", "")
  words.textContent = "measured"
  for (const [name, value, help] of data.measures) {
    const item = child(measures, "span", "measure")
    item.title = help
    item.append(`${name} `)
    child(item, "b", "").textContent = value
  }
  const cost = child(measures, "span", "cost", data.cost)
  cost.title = data.stages
  view.row.dataset.timing = JSON.stringify(data.timing)
}
