// A part of a page that a phone keeps in view, at the foot of the window, while the reader is above it.
const BLOCK = "[data-testid=stVerticalBlock]"

/** The largest part of the page with nothing but `root` in it. */
function ownPart(root) {
  let part = root.getRootNode().host ?? root
  const isAlone = (parent) => !parent.matches(BLOCK) || parent.children.length === 1
  while (part.parentElement && isAlone(part.parentElement)) part = part.parentElement
  return part
}

/** Keep `root` down to the foot of `lowest` in view. The result ends that. */
function dock(root, lowest) {
  const part = ownPart(root)
  const measure = () => {
    const below = part.getBoundingClientRect().bottom - lowest.getBoundingClientRect().bottom
    part.style.setProperty("--below", `${below}px`) // see page_style.css
  }
  const sizes = new ResizeObserver(measure)
  sizes.observe(part)
  part.dataset.docked = ""
  return () => {
    sizes.disconnect()
    delete part.dataset.docked
  }
}
