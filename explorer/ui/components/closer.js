// Looking closer at pictures that stand side by side: zoom and pan are the same in all of them, and
// the first one can be laid over the last one, in turn or up to a movable line.
const MOST_ZOOM = 16
const ZOOM_STEP = 1.5 // of a button or a key
const PAN_STEP = 0.1 // of what is visible
const SQUARES_FROM = 4 // pixels of a large image are shown as squares from this zoom

class Closer {
  /** `pictures` are the elements around each `img`; `row` holds them and takes the keys. */
  constructor(row, pictures, tools) {
    Object.assign(this, { row, pictures, pointers: new Map(), split: 50, mode: "" })
    row.tabIndex = 0
    row.setAttribute("role", "group")
    row.setAttribute("aria-label", "Pictures: plus and minus zoom, arrow keys move, 0 resets")
    row.onkeydown = (event) => this.key(event)
    for (const picture of pictures) this.listen(picture)
    this.buildTools(tools)
    this.reset()
  }

  buildTools(tools) {
    tools.setAttribute("role", "toolbar")
    tools.setAttribute("aria-label", "look closer at the pictures")
    const button = (text, help, action) => {
      const element = child(tools, "button", "tool", text)
      element.type = "button"
      element.title = help
      element.setAttribute("aria-label", help)
      element.onclick = action
      return element
    }
    const hint = "Zoom in: also with the wheel after a click on a picture, or with two fingers"
    this.out = button("−", "Zoom out", () => this.zoomBy(1 / ZOOM_STEP))
    this.readout = child(tools, "output", "zoom")
    this.in = button("+", hint, () => this.zoomBy(ZOOM_STEP))
    this.resetButton = button("Reset", "Show the whole pictures: also with a double click", () =>
      this.reset())
    const toggle = (mode, text, help) => {
      const element = button(text, help, () => this.setMode(this.mode === mode ? "" : mode))
      element.setAttribute("aria-pressed", "false")
      return element
    }
    this.toggles = {
      blink: toggle("blink", "Blink", "Show the original and the adversarial image in turn"),
      split: toggle("split", "Before | after", "Lay the original over a part of the other image"),
    }
    this.range = child(tools, "input", "split-range")
    Object.assign(this.range, { type: "range", min: 0, max: 100, step: 1, hidden: true })
    this.range.setAttribute("aria-label", "how much of the original is shown, in percent")
    this.range.oninput = () => this.setSplit(Number(this.range.value))
  }

  listen(picture) {
    picture.ondblclick = () => this.reset()
    picture.ondragstart = (event) => event.preventDefault() // the browser would carry the image off
    picture.onpointerdown = (event) => this.down(picture, event)
    picture.onpointermove = (event) => this.move(picture, event)
    picture.onpointerup = picture.onpointercancel = (event) => this.pointers.delete(event.pointerId)
    picture.addEventListener("wheel", (event) => this.wheel(picture, event), { passive: false })
  }

  /** The pictures were drawn again; `isNew` says that they are of something else. */
  update(isNew) {
    if (isNew) this.reset()
    if (this.overlay) this.overlay.querySelector("img").src = this.original.src
    this.draw()
  }

  get original() { return this.pictures[0].querySelector("img") }

  reset() {
    Object.assign(this, { zoom: 1, x: 0, y: 0 })
    this.draw()
  }

  /** Zoom so that the point at these fractions of a picture stays where it is. */
  zoomBy(factor, atX = 0.5, atY = 0.5) {
    const zoom = Math.min(MOST_ZOOM, Math.max(1, this.zoom * factor))
    this.x += atX / this.zoom - atX / zoom
    this.y += atY / this.zoom - atY / zoom
    this.zoom = zoom
    this.draw()
  }

  /** Move what is visible by fractions of a picture's side on screen. */
  panBy(dx, dy) {
    this.x += dx / this.zoom
    this.y += dy / this.zoom
    this.draw()
  }

  draw() {
    const most = 1 - 1 / this.zoom
    this.x = Math.min(most, Math.max(0, this.x))
    this.y = Math.min(most, Math.max(0, this.y))
    const place = `scale(${this.zoom}) translate(${-100 * this.x}%, ${-100 * this.y}%)`
    for (const picture of this.pictures) {
      for (const image of picture.querySelectorAll("img")) image.style.transform = place
    }
    this.row.classList.toggle("zoomed", this.zoom > 1)
    this.row.classList.toggle("squares", this.zoom >= SQUARES_FROM)
    this.readout.textContent = `${Number(this.zoom.toPrecision(2))} ×`
    this.out.disabled = this.resetButton.disabled = this.zoom === 1
    this.in.disabled = this.zoom === MOST_ZOOM
  }

  key(event) {
    if (event.target !== this.row || event.ctrlKey || event.metaKey || event.altKey) return
    const pans = {
      ArrowLeft: [-PAN_STEP, 0],
      ArrowRight: [PAN_STEP, 0],
      ArrowUp: [0, -PAN_STEP],
      ArrowDown: [0, PAN_STEP],
    }
    if (event.key === "+" || event.key === "=") this.zoomBy(ZOOM_STEP)
    else if (event.key === "-") this.zoomBy(1 / ZOOM_STEP)
    else if (event.key === "0") this.reset()
    else if (pans[event.key] && this.zoom > 1) this.panBy(...pans[event.key])
    else return
    event.preventDefault()
  }

  /** A plain wheel scrolls the page, unless the pictures were clicked; with Ctrl it always zooms. */
  wheel(picture, event) {
    const focused = this.row.getRootNode().activeElement === this.row
    if (!event.ctrlKey && !event.metaKey && !focused) return
    event.preventDefault()
    const box = picture.getBoundingClientRect()
    const [x, y] = [(event.clientX - box.x) / box.width, (event.clientY - box.y) / box.height]
    this.zoomBy(Math.exp(-event.deltaY / (event.deltaMode ? 10 : 300)), x, y)
  }

  down(picture, event) {
    this.pointers.set(event.pointerId, [event.clientX, event.clientY])
    const onLine = this.mode === "split" && picture === this.pictures[this.pictures.length - 1]
    if (this.zoom > 1 || onLine) picture.setPointerCapture(event.pointerId)
    if (onLine && this.zoom === 1) this.splitAt(picture, event)
  }

  move(picture, event) {
    const last = this.pointers.get(event.pointerId)
    if (!last) return
    const box = picture.getBoundingClientRect()
    const dx = (last[0] - event.clientX) / box.width
    const dy = (last[1] - event.clientY) / box.height
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)
    this.pointers.set(event.pointerId, [event.clientX, event.clientY])
    if (other) this.pinch(box, last, [event.clientX, event.clientY], other[1])
    else if (this.zoom > 1) this.panBy(dx, dy)
    else if (this.mode === "split" && picture.contains(this.overlay)) this.splitAt(picture, event)
  }

  pinch(box, last, now, other) {
    const gap = (point) => Math.hypot(point[0] - other[0], point[1] - other[1])
    const middle = [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2]
    const at = [(middle[0] - box.x) / box.width, (middle[1] - box.y) / box.height]
    this.zoomBy(gap(now) / Math.max(1, gap(last)), ...at)
    this.panBy((last[0] - now[0]) / 2 / box.width, (last[1] - now[1]) / 2 / box.height)
  }

  setMode(mode) {
    this.mode = mode
    if (mode && !this.overlay) this.buildOverlay()
    if (this.overlay) this.overlay.className = `overlay ${mode}`
    for (const [name, element] of Object.entries(this.toggles)) {
      element.setAttribute("aria-pressed", String(name === mode))
    }
    this.range.hidden = mode !== "split"
    this.setSplit(this.split)
  }

  /** The original, over the last picture. */
  buildOverlay() {
    this.overlay = child(this.pictures[this.pictures.length - 1], "div", "overlay")
    const image = child(this.overlay, "img", "")
    image.src = this.original.src
    image.alt = ""
    child(this.overlay, "span", "badge", "original")
    this.draw()
  }

  splitAt(picture, event) {
    const box = picture.getBoundingClientRect()
    this.setSplit(Math.round(100 * Math.min(1, Math.max(0, (event.clientX - box.x) / box.width))))
  }

  setSplit(percentage) {
    this.split = percentage
    this.range.value = percentage
    if (this.overlay) this.overlay.style.setProperty("--split", `${percentage}%`)
  }
}
