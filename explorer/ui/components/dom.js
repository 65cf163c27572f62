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

