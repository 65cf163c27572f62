// Measured distances: a click on the name of one opens what it is, as the words of a page do.

/** Write measures, [name, value, help] each, into `parent`; what is open stays open. */
function drawMeasures(parent, measures) {
  measures.forEach(([name, value, help], i) => {
    const item = parent.children[i] ?? buildMeasure(parent)
    const [button, number, words] = item.children
    button.textContent = name
    number.textContent = value
    words.textContent = help
  })
}

function buildMeasure(parent) {
  const item = child(parent, "span", "measure")
  const button = child(item, "button", "term")
  child(item, "b", "")
  const words = child(item, "span", "words")
  button.type = "button"
  words.popover = "auto" // the browser closes it with Escape or a click elsewhere
  button.popoverTargetElement = words
  words.addEventListener("beforetoggle", ({ newState }) => {
    if (newState === "open") placeWords(words, button.getBoundingClientRect())
  })
  return item
}

/** Above the measure, within the window; a page that scrolls takes nothing along, and closes it. */
function placeWords(words, { left, top }) {
  const width = Math.min(window.innerWidth - 16, 22 * USUAL_TYPE * typeScale())
  words.style.width = `${width}px`
  words.style.left = `${Math.max(8, Math.min(left, window.innerWidth - width - 8))}px`
  words.style.bottom = `${window.innerHeight - top + 6}px`
  window.addEventListener("scroll", () => words.hidePopover(), { capture: true, once: true })
}
