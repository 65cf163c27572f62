// What an eye would stumble over in a page, as a list of sentences: see page_checks.py.
// It looks into the shadow roots of the components too.
() => {
  const faults = new Set()
  const main = [...document.querySelectorAll("[data-testid=stMain]")]
  const say = (kind, text) => faults.add(`${kind}: ${text.replace(/\s+/g, " ").trim().slice(0, 90)}`)

  /** All elements below a root, also those in shadow roots. */
  function* elements(root) {
    for (const element of root.children) {
      yield element
      if (element.shadowRoot) yield* elements(element.shadowRoot)
      yield* elements(element)
    }
  }
  const parent = (element) => element.assignedSlot ?? element.parentElement ?? element.getRootNode().host

  function* ancestors(element) {
    for (let each = element; each; each = parent(each)) yield each
  }

  const NOT_SHOWN =
    "[aria-hidden=true], [data-testid=stSidebar][data-collapsed=true], .katex-mathml, noscript, style, script"
  const seen = (element) =>
    element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) &&
    ![...ancestors(element)].some((each) => each.matches(NOT_SHOWN))

  /** A place that a reader is not to see: a clip of one pixel for screen readers. */
  const isForScreenReaders = (element) => {
    for (const each of ancestors(element)) {
      const { width, height } = each.getBoundingClientRect()
      const style = getComputedStyle(each)
      if ((width <= 1 || height <= 1) && style.overflow !== "visible") return true
      if (style.clip === "rect(0px, 0px, 0px, 0px)" || style.clipPath === "inset(50%)") return true
    }
    return false
  }
  const hides = (value) => value === "hidden" || value === "clip"
  const scrolls = (value) => value === "auto" || value === "scroll"

  /** The words of the page: each text node with its lines, as boxes. */
  function texts() {
    const list = []
    for (const element of elements(document.body)) {
      if (!seen(element) || element.closest("option")) continue
      for (const node of element.childNodes) {
        if (node.nodeType !== Node.TEXT_NODE || !node.data.trim()) continue
        const range = document.createRange()
        range.selectNodeContents(node)
        const boxes = [...range.getClientRects()].filter((box) => box.width > 1 && box.height > 1)
        if (boxes.length && !isForScreenReaders(element)) list.push({ element, boxes, text: node.data })
      }
    }
    return list
  }

  function checkCut({ element, boxes, text }) {
    for (const box of boxes) {
      for (const each of ancestors(element)) {
        const style = getComputedStyle(each)
        if (scrolls(style.overflowX) && each.scrollWidth > each.clientWidth + 1) break
        const edge = each.getBoundingClientRect()
        if (hides(style.overflowX) && each.scrollWidth > each.clientWidth + 1) {
          if (box.right > edge.right + 1.5 || box.left < edge.left - 1.5) return say("cut text", text)
        }
        if (hides(style.overflowY) && each.scrollHeight > each.clientHeight + 2) {
          if (box.bottom > edge.bottom + 4 || box.top < edge.top - 4) return say("cut text", text)
        }
        if (style.position === "fixed") break
      }
      if (box.right > innerWidth + 1.5 && ![...ancestors(element)].some((each) => {
        const style = getComputedStyle(each)
        return scrolls(style.overflowX) && each.scrollWidth > each.clientWidth + 1 && !main.includes(each)
      })) return say("beyond the window", text)
    }
  }

  /** A list that scrolls shows whole rows, at its upper edge and at its lower one. */
  function checkRows(box) {
    if (!box.matches("[role=radiogroup], [role=listbox], [data-testid=stMultiSelectTagsContainer]")) return
    if (!scrolls(getComputedStyle(box).overflowY) || box.scrollHeight <= box.clientHeight + 1) return
    if (!seen(box)) return
    const { top, bottom } = box.getBoundingClientRect()
    const isCut = [...box.querySelectorAll("[role=radio], [role=option], [data-tag]")].some((row) => {
      const edge = row.getBoundingClientRect()
      return [top, bottom].some((y) => edge.top < y - 1.5 && y + 1.5 < edge.bottom)
    })
    if (isCut) say("cut row", box.ariaLabel ?? box.className)
  }

  /** The text of a field has no node of its own: checkCut does not see it. */
  function checkField(field) {
    if (!field.matches("[role=combobox]") || !seen(field)) return
    if (field.scrollWidth > field.clientWidth + 1) say("cut text", field.value || field.placeholder)
  }

  function checkOverlaps(list) {
    const boxes = list.flatMap(({ element, boxes, text }) => boxes.map((box) => ({ box, element, text })))
      .filter(({ box, element }) => box.bottom > 0 && !isScrolledAway(box, element))
      .sort((a, b) => a.box.top - b.box.top)
    boxes.forEach((one, i) => {
      for (let j = i + 1; j < boxes.length && boxes[j].box.top < one.box.bottom; j += 1) {
        const other = boxes[j]
        const width = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left)
        const height = Math.min(one.box.bottom, other.box.bottom) - other.box.top
        const least = Math.min(one.box.height, other.box.height)
        if (width < 3 || height < 0.35 * least) continue
        if (one.element.contains(other.element) && one.element.closest(".katex")) continue
        if (one.element.closest(".katex") || other.element.closest(".katex")) continue
        if (layer(one.element) !== layer(other.element)) continue
        say("overlap", `${one.text.trim().slice(0, 40)} | ${other.text.trim().slice(0, 40)}`)
      }
    })
  }
  const isOfComponent = (element) =>
    element.getRootNode() !== document && !(element instanceof SVGElement)
  /** Sidebar, header and popovers lie above the page. */
  const layer = (element) =>
    [...ancestors(element)].find((each) => each.matches?.(
      "[data-testid=stSidebar], [data-testid=stHeader], [data-baseweb=popover], [data-testid=stToast]",
    ))
  function isScrolledAway(box, element) {
    for (const each of ancestors(element)) {
      const style = getComputedStyle(each)
      if (style.overflowX === "visible" && style.overflowY === "visible") continue
      const edge = each.getBoundingClientRect()
      if (box.left >= edge.right || box.right <= edge.left) return true
      if (box.top >= edge.bottom || box.bottom <= edge.top) return true
    }
    return false
  }

  // Colours of drawings, which axe does not look at.
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true })
  function rgba(text) {
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = text
    canvas.fillRect(0, 0, 1, 1)
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data
    return [red, green, blue, alpha / 255]
  }
  const mix = (front, back, alpha) => front.map((value, i) => alpha * value + (1 - alpha) * back[i])
  function background(element) {
    for (const each of ancestors(element)) {
      const [red, green, blue, alpha] = rgba(getComputedStyle(each).backgroundColor)
      if (alpha > 0.9) return [red, green, blue]
    }
    return [255, 255, 255]
  }
  const luminance = (colour) => {
    const [r, g, b] = colour.map((value) => {
      const share = value / 255
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  function checkDrawnText({ element, text }) {
    if (!(element instanceof SVGElement)) return
    const style = getComputedStyle(element)
    const back = background(element)
    const [red, green, blue, alpha] = rgba(style.fill)
    let opacity = alpha * Number(style.fillOpacity)
    for (const each of ancestors(element)) opacity *= Number(getComputedStyle(each).opacity)
    const [low, high] = [luminance(mix([red, green, blue], back, opacity)), luminance(back)].sort((a, b) => a - b)
    const ratio = (high + 0.05) / (low + 0.05)
    if (ratio < 4.5) say("contrast", `${ratio.toFixed(1)}:1 of “${text.trim()}”`)
  }

  for (const each of main) {
    if (each.scrollWidth > each.clientWidth + 1) say("scrolls sideways", `${each.scrollWidth} of ${each.clientWidth}`)
  }
  if (document.documentElement.scrollWidth > innerWidth) say("scrolls sideways", "document")
  const list = texts()
  for (const each of list) {
    checkCut(each)
    checkDrawnText(each)
    if (isOfComponent(each.element) && /\d %/.test(each.text)) say("may break", each.text)
  }
  checkOverlaps(list)
  for (const element of elements(document.body)) {
    checkRows(element)
    checkField(element)
    if (!(element instanceof SVGElement)) continue
    for (const name of ["width", "height", "r"]) {
      if (Number.parseFloat(element.getAttribute(name)) < 0) say("negative size", `${element.tagName} ${name}`)
    }
  }
  if (innerWidth < 500) checkTargets()
  return [...faults]

  /** What a finger is to hit, but links in a text, the question marks beside labels, and what
   *  Streamlit draws inside of a field, all of which takes a finger. */
  function checkTargets() {
    for (const element of elements(document.body)) {
      if (!element.matches("button, summary, [role=radio], [role=slider], select, input[type=range]")) continue
      if (!seen(element) || isForScreenReaders(element)) continue
      if (element.closest("[data-testid=stHeader], [data-testid=stTooltipIcon], [data-testid=stCode], [data-testid=stSelectbox], [data-testid=stMultiSelect], [data-testid=stTabs], [data-baseweb=tab-list], [data-testid=stNumberInput]")) continue
      const { width, height } = element.getBoundingClientRect()
      if (!width || !height) continue
      if (height < 39.5 || width < 24) {
        say("small target", `${Math.round(width)} × ${Math.round(height)} ${element.ariaLabel ?? element.textContent}`)
      }
    }
  }
}
