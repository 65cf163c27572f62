// The photograph with the crop, which is dragged or moved with the arrow keys. The page gets the
// new position at the end of a move.
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }
const STEP = 0.05
const PAUSE = 350

const clamp = (value) => Math.min(1, Math.max(0, value))

function draw(box, data, position) {
  const [width, height] = data.size
  box.style.width = `${100 * width}%`
  box.style.height = `${100 * height}%`
  box.style.left = `${100 * (data.start[0] + position[0] * (data.extent[0] - width))}%`
  box.style.top = `${100 * (data.start[1] + position[1] * (data.extent[1] - height))}%`
}

export default function (component) {
  if (!component.data) return
  const { parentElement, setTriggerValue } = component
  const [data] = component.data
  const frame = parentElement.querySelector(".frame")
  const image = frame.querySelector("img")
  const box = frame.querySelector(".box")
  if (image.src !== data.src) image.src = data.src
  image.alt = data.alt
  box.setAttribute("aria-label", data.help)
  box.title = data.help
  let position = [...data.position]
  draw(box, data, position)
  const movable = data.extent.map((extent, i) => extent - data.size[i] > 1e-3)
  box.classList.toggle("movable", movable.some(Boolean))

  const report = () => {
    setTriggerValue("moved", position.map((value) => Math.round(value * 1000) / 1000))
  }
  const move = (across, down) => {
    position = [across, down].map((value, i) => (movable[i] ? clamp(value) : data.position[i]))
    draw(box, data, position)
  }
  box.onpointerdown = (event) => {
    if (!movable.some(Boolean)) return
    event.preventDefault()
    box.focus({ preventScroll: true })
    box.setPointerCapture(event.pointerId)
    box.classList.add("moving")
    const from = [event.clientX, event.clientY]
    const before = [...position]
    const range = [image.clientWidth, image.clientHeight].map(
      (side, i) => side * (data.extent[i] - data.size[i]),
    )
    box.onpointermove = (pointer) => move(
      before[0] + (pointer.clientX - from[0]) / Math.max(range[0], 1),
      before[1] + (pointer.clientY - from[1]) / Math.max(range[1], 1),
    )
    box.onpointerup = () => {
      box.onpointermove = box.onpointerup = box.onpointercancel = null
      box.classList.remove("moving")
      if (position.some((value, i) => value !== before[i])) report()
    }
    box.onpointercancel = box.onpointerup
  }
  box.onkeydown = (event) => {
    const arrow = ARROWS[event.key]
    if (!arrow) return
    event.preventDefault()
    move(position[0] + STEP * arrow[0], position[1] + STEP * arrow[1])
    clearTimeout(frame.waiting)
    frame.waiting = setTimeout(report, PAUSE) // several presses are one move
  }
}
