// The photograph with the part that is seen. Dragging or the arrow keys move it; the page hears of it when it is let go.
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }
const STEP = 0.05
const PAUSE = 350

const clamp = (value) => Math.min(1, Math.max(0, value))

function draw(box, data, place) {
  const [width, height] = data.share
  box.style.width = `${100 * width}%`
  box.style.height = `${100 * height}%`
  box.style.left = `${100 * (data.start[0] + place[0] * (data.extent[0] - width))}%`
  box.style.top = `${100 * (data.start[1] + place[1] * (data.extent[1] - height))}%`
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
  let place = [...data.place]
  draw(box, data, place)
  const movable = data.extent.map((extent, i) => extent - data.share[i] > 1e-3)
  box.classList.toggle("movable", movable.some(Boolean))

  const tell = () => setTriggerValue("moved", place.map((value) => Math.round(value * 1000) / 1000))
  const move = (across, down) => {
    place = [across, down].map((value, i) => (movable[i] ? clamp(value) : data.place[i]))
    draw(box, data, place)
  }
  box.onpointerdown = (event) => {
    if (!movable.some(Boolean)) return
    event.preventDefault()
    box.focus({ preventScroll: true })
    box.setPointerCapture(event.pointerId)
    box.classList.add("moving")
    const from = [event.clientX, event.clientY]
    const before = [...place]
    const room = [image.clientWidth, image.clientHeight].map((side, i) => side * (data.extent[i] - data.share[i]))
    box.onpointermove = (moved) => move(
      before[0] + (moved.clientX - from[0]) / Math.max(room[0], 1),
      before[1] + (moved.clientY - from[1]) / Math.max(room[1], 1),
    )
    box.onpointerup = () => {
      box.onpointermove = box.onpointerup = box.onpointercancel = null
      box.classList.remove("moving")
      if (place.some((value, i) => value !== before[i])) tell()
    }
    box.onpointercancel = box.onpointerup
  }
  box.onkeydown = (event) => {
    const arrow = ARROWS[event.key]
    if (!arrow) return
    event.preventDefault()
    move(place[0] + STEP * arrow[0], place[1] + STEP * arrow[1])
    clearTimeout(frame.waiting)
    frame.waiting = setTimeout(tell, PAUSE) // several presses are one move
  }
}
