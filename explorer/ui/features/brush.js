// Squares of a grid over the picture, marked by brushing. The page gets all of them when the brush
// is lifted.
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }
const SCALE = 12 // pixels of the canvas for a square
const PAUSE = 500
const HEX = 16
const BITS = 4

const clamp = (value, low, high) => Math.min(high, Math.max(low, value))

function cellsFrom(text) {
  return [...text].flatMap((digit) => {
    const value = Number.parseInt(digit, HEX)
    return [8, 4, 2, 1].map((bit) => (value & bit) > 0)
  })
}

function textOf(cells) {
  let text = ""
  for (let i = 0; i < cells.length; i += BITS) {
    const value = [8, 4, 2, 1].reduce((sum, bit, j) => sum + (cells[i + j] ? bit : 0), 0)
    text += value.toString(HEX)
  }
  return text
}

class Brush {
  constructor(root, report) {
    Object.assign(this, { root, report, marks: true, cursor: null, isDown: false, keyDown: false })
    this.canvas = root.querySelector("canvas")
    this.size = root.querySelector(".size")
    this.paint = root.querySelector(".paint")
    this.erase = root.querySelector(".erase")
    this.paint.onclick = () => this.choose(true)
    this.erase.onclick = () => this.choose(false)
    root.querySelector(".clear").onclick = () => {
      this.cells.fill(false)
      this.finish()
    }
    this.canvas.onpointerdown = (event) => this.lower(event)
    this.canvas.onpointermove = (event) => this.move(this.at(event))
    this.canvas.onpointerup = () => this.lift()
    this.canvas.onpointercancel = () => this.lift()
    this.canvas.onpointerleave = () => { if (!this.isDown) this.hover(null) }
    this.canvas.onkeydown = (event) => this.key(event)
    this.canvas.onblur = () => { this.keyDown = false; this.hover(null) }
  }

  show(data) {
    const image = this.root.querySelector("img")
    if (image.src !== data.src) image.src = data.src
    image.classList.toggle("pixelated", data.pixelated)
    this.side = data.side
    this.canvas.width = this.canvas.height = data.side * SCALE
    this.canvas.setAttribute("aria-label", data.alt)
    // What the page sends back while the next stroke is under way is older than the stroke.
    if (!this.isDown && !this.waiting) this.cells = cellsFrom(data.cells)
    this.draw()
  }

  choose(marks) {
    this.marks = marks
    this.paint.setAttribute("aria-pressed", String(marks))
    this.erase.setAttribute("aria-pressed", String(!marks))
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect()
    return [
      ((event.clientX - box.left) / box.width) * this.side,
      ((event.clientY - box.top) / box.height) * this.side,
    ]
  }

  lower(event) {
    event.preventDefault()
    this.canvas.focus({ preventScroll: true })
    this.canvas.setPointerCapture(event.pointerId)
    this.isDown = true
    this.last = this.at(event)
    this.stamp(this.last)
    this.draw()
  }

  move(place) {
    if (this.isDown) this.line(this.last, place)
    this.last = place
    this.hover(place)
  }

  lift() {
    if (!this.isDown) return
    this.isDown = false
    this.finish()
  }

  line(from, to) {
    const steps = Math.max(1, Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1])))
    for (let i = 1; i <= steps; i += 1) {
      this.stamp([0, 1].map((axis) => from[axis] + ((to[axis] - from[axis]) * i) / steps))
    }
  }

  stamp([x, y]) {
    const radius = Number(this.size.value) / 2
    for (let row = Math.floor(y - radius); row <= y + radius; row += 1) {
      for (let column = Math.floor(x - radius); column <= x + radius; column += 1) {
        const inside = row >= 0 && column >= 0 && row < this.side && column < this.side
        const near = Math.hypot(column + 0.5 - x, row + 0.5 - y) <= Math.max(radius, 0.71)
        if (inside && near) this.cells[row * this.side + column] = this.marks
      }
    }
  }

  key(event) {
    const arrow = ARROWS[event.key]
    if (!arrow && event.key !== " ") return
    event.preventDefault()
    const before = this.cursor || [this.side / 2, this.side / 2]
    if (arrow) {
      const next = before.map((value, i) => clamp(value + arrow[i], 0.5, this.side - 0.5))
      if (this.keyDown) this.line(before, next)
      this.cursor = next
    } else {
      this.keyDown = !this.keyDown
      this.cursor = before
      if (this.keyDown) this.stamp(before)
    }
    const state = this.keyDown ? "The brush is down" : "The brush is up"
    this.say(`${state}: column ${Math.ceil(this.cursor[0])}, row ${Math.ceil(this.cursor[1])}.`)
    this.draw()
    if (this.keyDown || !arrow) this.finish(PAUSE)
  }

  hover(place) {
    this.cursor = place
    this.draw()
  }

  finish(pause = 0) {
    clearTimeout(this.waiting)
    this.waiting = setTimeout(() => {
      this.waiting = null
      this.report(textOf(this.cells))
    }, pause)
    const share = this.cells.filter(Boolean).length / this.cells.length
    if (!this.keyDown) this.say(`${(100 * share).toFixed(0)} % of the picture is marked.`)
    this.draw()
  }

  say(text) { this.root.querySelector(".said").textContent = text }

  draw() {
    const pen = this.canvas.getContext("2d")
    const width = this.canvas.width
    pen.clearRect(0, 0, width, width)
    pen.fillStyle = "rgb(0 0 0 / 0.6)"
    this.cells.forEach((marked, i) => {
      if (marked) return
      pen.fillRect((i % this.side) * SCALE, Math.floor(i / this.side) * SCALE, SCALE, SCALE)
    })
    if (!this.cursor) return
    const radius = (Math.max(Number(this.size.value), 1) / 2) * SCALE
    for (const [colour, thickness] of [["#000", 4], ["#fff", 2]]) {
      pen.strokeStyle = colour
      pen.lineWidth = thickness
      pen.beginPath()
      pen.arc(this.cursor[0] * SCALE, this.cursor[1] * SCALE, radius, 0, 2 * Math.PI)
      pen.stroke()
    }
  }
}

export default function (component) {
  if (!component.data) return
  const { parentElement, setTriggerValue } = component
  const [data] = component.data
  const root = parentElement.querySelector(".brush")
  root.brush = root.brush || new Brush(root, () => {})
  root.brush.report = (text) => setTriggerValue("brushed", text)
  root.brush.show(data)
}
