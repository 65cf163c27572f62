// Comes before the script of every component. Data are set as text or attributes, never as markup.
const SVG = "http://www.w3.org/2000/svg"

function child(parent, tag, className, text = "") {
  const element = document.createElement(tag)
  element.className = className
  element.textContent = text
  return parent.appendChild(element)
}

function svg(parent, tag, attributes, text = "") {
  const element = document.createElementNS(SVG, tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.textContent = text
  return parent.appendChild(element)
}

/** Measured distances, as [name, value, help] each. */
function drawMeasures(parent, measures) {
  parent.replaceChildren()
  for (const [name, value, help] of measures) {
    const item = child(parent, "span", "measure", `${name} `)
    item.title = help
    child(item, "b", "", value)
  }
}

/** As explorer/figures/captions.py: what is neither 0 nor 100 never looks as if it were. */
function percent(value) {
  if (value > 0 && value < 0.0005) return "< 0.1 %"
  if (value >= 0.9995 && value < 1) return "> 99.9 %"
  return `${(100 * value).toFixed(1)} %`
}

