// A slider that a phone keeps in view, at the foot of the window while the pictures that it changes are
// above it, or at its head while they are below it.
const BLOCK = "[data-testid=stVerticalBlock]"

/** The largest part of the page with nothing but `root` in it. */
function ownPart(root) {
  let part = root.getRootNode().host ?? root
  const isAlone = (parent) => !parent.matches(BLOCK) || parent.children.length === 1
  while (part.parentElement && isAlone(part.parentElement)) part = part.parentElement
  return part
}

/** Keep what is between `first` and `last` in view at this `side`. The result ends that. */
function dock(root, first, last, side) {
  const own = ownPart(root)
  // A part stays in view as long as the block that it is in: below that one are its pictures.
  const part = side === "head" ? own.parentElement?.closest("[data-testid=stLayoutWrapper]") : own
  if (!part) return () => {}
  const measure = () => {
    const box = part.getBoundingClientRect()
    const above = first.getBoundingClientRect().top - box.top
    const below = box.bottom - last.getBoundingClientRect().bottom
    part.style.setProperty("--above", `${above}px`) // see page_style.css
    part.style.setProperty("--below", `${below}px`)
  }
  const sizes = new ResizeObserver(measure)
  sizes.observe(part)
  part.dataset.docked = side
  return () => {
    sizes.disconnect()
    delete part.dataset.docked
  }
}
