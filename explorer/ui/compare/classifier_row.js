const RESULT = 2 // the adversarial picture, which follows "="

function place(element, column, narrowRow, narrowColumn) {
  element.style.setProperty("--column", String(column))
  element.style.setProperty("--narrow-row", String(narrowRow))
  element.style.setProperty("--narrow-column", String(narrowColumn))
}

function buildFigure(parent, index) {
  const figure = child(parent, "figure", index === RESULT ? "result" : "")
  const title = child(figure, "div", "picture-title")
  const picture = child(figure, "div", "picture")
  const img = child(picture, "img", "")
  const empty = child(picture, "div", "place")
  const caption = child(figure, "figcaption", "")
  const parts = { title, img, empty }
  for (const name of ["name", "confidence", "note"]) parts[name] = child(caption, "span", name)
  for (const part of [title, picture, caption]) {
    place(part, 2 * index + 1, Math.floor(index / 2), index % 2 === 0 ? 1 : 3)
  }
  return parts
}

function build(root) {
  const pictures = root.querySelector(".pictures")
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
  return { figures, operators }
}

function drawPicture(parts, picture) {
  parts.title.textContent = picture.title
  parts.img.hidden = !picture.src
  parts.empty.hidden = Boolean(picture.src)
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

function drawMeasures(measures, data) {
  measures.replaceChildren()
  child(measures, "span", "", "measured")
  for (const [name, value, help] of data.measures) {
    const item = child(measures, "span", "measure", `${name} `)
    item.title = help
    child(item, "b", "", value)
  }
  child(measures, "span", "cost", data.cost).title = data.stages
}

const views = new WeakMap()

export default function (component) {
  if (!component.data) return
  const { parentElement } = component
  const [data] = component.data
  let view = views.get(parentElement)
  if (!view) {
    view = build(parentElement)
    views.set(parentElement, view)
  }
  const find = (selector) => parentElement.querySelector(selector)
  find(".row").style.setProperty("--classifier", data.colour)
  find(".title").textContent = data.title
  find(".training").textContent = data.training
  find(".mark").textContent = `${data.mark.icon} ${data.mark.word}`
  find(".mark").style.backgroundColor = data.mark.colour
  find(".sentence").textContent = data.verdict
  find(".pictures").classList.toggle("pixelated", data.pixelated)
  data.pictures.forEach((picture, i) => drawPicture(view.figures[i], picture))
  data.operators.forEach((text, i) => { view.operators[i].textContent = text })
  drawBars(find(".bars"), data.bars)
  drawMeasures(find(".measures"), data)
}
