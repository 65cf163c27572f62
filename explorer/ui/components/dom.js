// Comes before the script of every component. Data are set as text or attributes, never as markup.
const SVG = "http://www.w3.org/2000/svg"
const USUAL_TYPE = 16 // pixels

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

/** How much larger type is than usual: in a chart, whose lengths are of usual type, all grow by it. */
function typeScale() {
  return parseFloat(getComputedStyle(document.documentElement).fontSize) / USUAL_TYPE
}

const MOVES = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }

/** Make the elements of `grid` one stop of the Tab key; arrow keys, Home and End move among them. */
function oneTabStop(grid, first = 0) {
  const items = [...grid.children]
  const open = (at) => items.forEach((item, i) => { item.tabIndex = i === at ? 0 : -1 })
  open(Math.max(0, first))
  grid.onkeydown = (event) => {
    const at = items.indexOf(event.target)
    const ends = { Home: 0, End: items.length - 1 }
    const goal = ends[event.key] ?? at + (MOVES[event.key] ?? NaN)
    if (at < 0 || !items[goal]) return
    event.preventDefault()
    open(goal)
    items[goal].focus()
  }
}

/** As in explorer/figures/captions.py: a share that is not exactly 0 or 1 never looks as if it were,
 *  and a classifier's confidence never is. The space breaks no line. */
function percent(share) {
  return share === 0 || share === 1 ? `${(100 * share).toFixed(1)}\u00a0%` : confidenceText(share)
}

function confidenceText(value) {
  if (value < 0.0005) return "< 0.1\u00a0%"
  if (value >= 0.9995) return "> 99.9\u00a0%"
  return `${(100 * value).toFixed(1)}\u00a0%`
}

