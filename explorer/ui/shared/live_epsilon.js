// The live ε. Its chart is explorer/ui/components/epsilon_chart.js.
const WARM = "The attacks behind the moving picture go on from one another, from small ε to large. " +
  "Where you let go, a new attack is computed, and may end in another class."
const PAUSE = 450 // milliseconds after a key: several presses are one question
const MOST_LETTERS = 17 // of a name beside its bar in one line

const store = (globalThis.explorerLadders ??= { ladders: new Map(), listeners: new Set() })
const triptychs = (globalThis.explorerTriptychs ??= new Map())

/** What the classifier says at one ε: outcome, distances, and the bars of five classes. */
class Panel {
  constructor(parent, ladder, data) {
    const root = child(parent, "div", "panel")
    if (ladder.title) child(root, "div", "title", ladder.title)
    this.outcome = child(root, "div", "outcome")
    this.measured = child(root, "div", "measured")
    this.bars = ladder.exact.bars.map(() => {
      const row = child(root, "div", "bar")
      const name = child(row, "span", "name")
      const room = child(row, "span", "room")
      const [after, before] = ["after", "before"].map((part) => child(room, "span", part))
      before.style.backgroundColor = data.original_colour
      return { name, after, before, number: child(row, "span", "number") }
    })
    const note = child(root, "div", "note")
    child(note, "span", "sample").style.backgroundColor = data.original_colour
    note.append(" before the attack")
  }

  show(point) {
    const { mark } = point
    const confidence = confidenceText(point.probabilities.predicted)
    this.outcome.textContent = `${mark.icon} ${mark.word}: ${point.predicted}, ${confidence}`
    this.outcome.title = this.outcome.textContent
    this.measured.textContent = `measured ${point.measured}`
    point.bars.forEach((bar, i) => {
      const row = this.bars[i]
      row.name.textContent = bar.name
      row.name.title = bar.name
      if (bar.role) child(row.name, "i", "", ` ${bar.role}`)
      row.name.classList.toggle("long", row.name.textContent.length > MOST_LETTERS)
      row.after.style.width = `${100 * bar.after}%`
      row.after.style.backgroundColor = mark.colour
      row.before.style.left = `${100 * bar.before}%`
      row.number.textContent = confidenceText(bar.after)
    })
  }
}

class Live {
  constructor(root, data) {
    this.root = root
    this.track = this.find(".track")
    this.find(".live").style.setProperty("--left", `${LEFT / USUAL_TYPE}rem`)
    this.find(".live").style.setProperty("--right", `${RIGHT / USUAL_TYPE}rem`)
    this.data = data
    this.value = data.value
    this.chart = new EpsilonChart(this.find(".chart"), this)
    const start = () => this.track.getBoundingClientRect().left
    this.followPointer(this.track, start, () => this.track.clientWidth)
    this.track.onkeydown = (event) => this.press(event)
    this.listener = () => this.redraw()
    store.listeners.add(this.listener)
    this.resize = new ResizeObserver(() => this.chart.draw())
    this.resize.observe(this.find(".chart"))
    // With bars the pictures are above the slider, without them they are below it.
    this.undock = dock(root, this.find(".reading"), this.track, data.has_bars ? "foot" : "head")
  }

  find(selector) { return this.root.querySelector(selector) }

  /** The place of an ε on slider and chart, from 0 to 1; `valueAt` is the other way round. */
  place(value) { return Math.sqrt(Math.min(value, this.data.largest) / this.data.largest) }

  valueAt(place) {
    const value = Math.min(1, Math.max(0, place)) ** 2 * this.data.largest
    return this.onStep(value)
  }

  onStep(value) {
    const { step, largest } = this.data
    return Math.min(largest, Math.max(0, Number((Math.round(value / step) * step).toFixed(6))))
  }

  valueOf(point) { return point.epsilon * this.data.unit }

  points(ladder) {
    const known = store.ladders.get(ladder.place)
    const rungs = known?.id === ladder.id ? [...known.rungs.values()] : []
    const others = rungs.filter((rung) => rung.epsilon !== ladder.exact.epsilon)
    return [...others, ladder.exact].sort((a, b) => a.epsilon - b.epsilon)
  }

  nearest(ladder) {
    if (this.value === this.data.value) return ladder.exact
    const gap = (point) => Math.abs(this.valueOf(point) - this.value)
    return this.points(ladder).reduce((best, point) => (gap(point) < gap(best) ? point : best))
  }

  /** New data of the page; the value stays while a finger moves it or the page answers it. */
  update(component, data) {
    this.component = component
    this.find(".live").hidden = false // not before: its parts would be seen to take their places
    const isNew = this.data.value !== data.value || !this.panels
    this.data = data
    if (isNew && !this.moving) this.value = data.value
    if (this.asked === data.value) this.asked = null
    const panels = this.find(".panels")
    const layout = JSON.stringify(data.ladders.map((each) => [each.title, each.exact.bars.length]))
    if (layout !== this.layout) {
      this.layout = layout
      panels.replaceChildren()
      const shown = data.has_bars ? data.ladders : []
      this.panels = shown.map((ladder) => new Panel(panels, ladder, data))
      this.find(".live").classList.toggle("without-bars", !data.has_bars)
    }
    this.track.setAttribute("aria-label", `ε, ${data.norm}`)
    this.track.setAttribute("aria-valuemin", "0")
    this.track.setAttribute("aria-valuemax", String(data.largest))
    this.fillLegend()
    this.redraw()
  }

  fillLegend() {
    const legend = this.find(".legend")
    legend.replaceChildren()
    for (const curve of this.data.ladders.flatMap((ladder) => ladder.curves)) {
      const key = child(legend, "span", "key")
      const sample = svg(key, "svg", { width: 22, height: 8, "aria-hidden": "true" })
      const look = { stroke: curve.colour, "stroke-width": 2.5, "stroke-dasharray": curve.dash }
      svg(sample, "line", { x1: 0, x2: 22, y1: 4, y2: 4, ...look })
      child(key, "span", "", curve.name)
    }
  }

  /** Everything, after new data, rungs or another width. */
  redraw() {
    const marks = this.find(".marks")
    marks.replaceChildren()
    for (const point of new Map(
      this.data.ladders.flatMap((each) => this.points(each)).map((each) => [each.epsilon, each]),
    ).values()) {
      child(marks, "span", "").style.left = `${100 * this.place(this.valueOf(point))}%`
    }
    this.chart.draw()
    this.find(".progress").textContent = this.progress()
    this.shown = []
    this.show()
  }

  progress() {
    const { ladders, expected } = this.data
    const message = ladders.find((ladder) => ladder.message)?.message
    if (message) return message
    if (!ladders.every((ladder) => ladder.is_complete)) {
      const count = Math.min(...ladders.map((ladder) => this.points(ladder).length - 1))
      return `Attacks at other ε are computed in the background: ${count} of about ${expected}.`
    }
    const smallest = ladders.map((ladder) => {
      const point = this.points(ladder).find((each) => each.success)
      return (ladder.title ? `${ladder.title} ` : "") + (point ? point.text : "none")
    })
    const { is_warm: isWarm, exact } = ladders[0]
    const first = this.points(ladders[0]).find((each) => each.success)
    const method = isWarm ? WARM : "Each attack is one step of FGSM."
    const weak = isWarm && ladders.length === 1 && first?.epsilon < exact.epsilon && !exact.success
    const advice = "At the ε that you chose the attack failed: try more steps or restarts."
    return `Smallest ε at which an attack succeeded: ${smallest.join(", ")}. ${weak ? advice : method}`
  }

  /** Picture, words, bars and cursor at the present value. */
  show() {
    this.scheduled = false
    const { data, track } = this
    track.querySelector(".thumb").style.left = `${100 * this.place(this.value)}%`
    this.chart.move()
    const text = rounded(this.value) + data.suffix
    const points = data.ladders.map((ladder) => this.nearest(ladder))
    this.find(".norm").textContent = data.norm
    this.find(".value").textContent = text
    this.find(".source").textContent = this.source(points[0])
    points.forEach((point, i) => {
      if (this.shown[i] === point) return
      this.shown[i] = point
      this.panels[i]?.show(point)
      triptychs.get(data.ladders[i].place)?.(point.shown ?? null, point)
    })
    track.setAttribute("aria-valuenow", String(this.value))
    const says = points.map((point, i) => {
      const title = data.ladders[i].title
      const prediction = `${point.predicted} ${confidenceText(point.probabilities.predicted)}`
      return `${title ? `${title}: ` : ""}${prediction}, ${point.mark.word}`
    })
    track.setAttribute("aria-valuetext", `ε ${text}: ${says.join("; ")}, ${this.source(points[0])}`)
  }

  source(point) {
    if (this.value === this.data.value) return "attacked at this ε"
    const asked = this.asked === this.value ? "; attack running" : ""
    return `picture computed at ${point.text}${asked}`
  }

  set(value) {
    if (value === this.value) return
    this.value = value
    if (this.scheduled) return
    this.scheduled = true
    requestAnimationFrame(() => this.show())
  }

  followPointer(element, left, span) {
    const pick = (event) => this.set(this.valueAt((event.clientX - left()) / span()))
    element.onpointerdown = (event) => {
      if (event.button !== 0) return
      clearTimeout(this.waiting)
      element.setPointerCapture(event.pointerId)
      this.moving = true
      this.track.focus({ preventScroll: true })
      pick(event)
      element.onpointermove = pick
      const end = () => {
        element.onpointermove = element.onpointerup = element.onpointercancel = null
        this.moving = false
        this.ask()
      }
      element.onpointerup = end
      element.onpointercancel = end
    }
  }

  press(event) {
    const { step, large_step: large, largest } = this.data
    const moves = {
      ArrowRight: step, ArrowUp: step, ArrowLeft: -step, ArrowDown: -step,
      PageUp: large, PageDown: -large, Home: -Infinity, End: Infinity,
    }
    const move = moves[event.key]
    if (move === undefined || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    const goal = this.value + move
    this.set(Number.isFinite(goal) ? this.onStep(goal) : goal > 0 ? largest : 0)
    clearTimeout(this.waiting)
    this.waiting = setTimeout(() => this.ask(), PAUSE)
  }

  /** Ask the page for the exact result at this ε. */
  ask() {
    if (this.value === this.data.value) return
    this.asked = this.value
    this.component.setTriggerValue("epsilon", this.value)
    this.show()
  }

  close() {
    clearTimeout(this.waiting)
    this.resize.disconnect()
    this.undock()
    store.listeners.delete(this.listener)
    for (const ladder of this.data.ladders) triptychs.get(ladder.place)?.(null)
  }
}

const lives = new WeakMap()

export default function (component) {
  if (!component.data) return undefined
  const { parentElement } = component
  const [data] = component.data
  let live = lives.get(parentElement)
  if (!live) {
    live = new Live(parentElement, data)
    lives.set(parentElement, live)
  }
  live.update(component, data)
  return () => {
    live.close()
    lives.delete(parentElement)
  }
}
