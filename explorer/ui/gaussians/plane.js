// The plane with the two clouds. Everything is computed here while a finger moves; the page gets
// the state when it rests. explorer/experiments/gaussians.py has the same formulas.
const HALF_WIDTH = 20
const HALF_HEIGHT = 10
const DRAWN = 300
const LEAST_SPREAD = 0.3
const MOST_SPREAD = 9
const TOUCH = 20 // pixels around a handle in which a finger takes it
const MARK = 6 // pixels
const KEY_STEP = 0.25
const PAUSE = 400
const BISECTIONS = 100
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }

const dot = (a, b) => a[0] * b[0] + a[1] * b[1]
const length = (a) => Math.hypot(a[0], a[1])
const add = (a, b, times = 1) => [a[0] + times * b[0], a[1] + times * b[1]]
const clamp = (value, low, high) => Math.min(high, Math.max(low, value))

/** The two unit eigenvectors of Σ. */
const axes = (tilt) => [[Math.cos(tilt), Math.sin(tilt)], [-Math.sin(tilt), Math.cos(tilt)]]

/** Φ by the complementary error function (Numerical Recipes' erfcc, relative error below 1.2e-7). */
function normalCdf(value) {
  const z = Math.abs(value) / Math.SQRT2
  const t = 1 / (1 + 0.5 * z)
  const terms = [-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807,
    -1.13520398, 1.48851587, -0.82215223, 0.17087277]
  const exponent = terms.reduceRight((sum, term) => sum * t + term, 0) - z * z
  const tail = 0.5 * t * Math.exp(exponent)
  return value < 0 ? tail : 1 - tail
}

/** Theorem 2 for one eigenvalue of Σ. */
function robustVariance(variance, penalty) {
  return variance / 2 + 1 / penalty + Math.sqrt(variance / penalty + (variance * variance) / 4)
}

/** The penalty λ whose adversary moves x by `radius` in the root mean square. */
function penaltyFor(variances, radius) {
  let [low, high] = [-12, 12]
  for (let i = 0; i < BISECTIONS; i += 1) {
    const middle = (low + high) / 2
    const penalty = 10 ** middle
    const square = variances.reduce(
      (sum, each) => sum + 1 / (penalty * penalty * robustVariance(each, penalty)), 0)
    if (square > radius * radius) low = middle
    else high = middle
  }
  return 10 ** high
}

/** Σ⁻¹ μ for the covariance with these variances along the axes. */
function direction(state, variances) {
  return axes(state.tilt).reduce(
    (sum, axis, i) => add(sum, axis, dot(axis, state.mean) / variances[i]), [0, 0])
}

function error(state, variances, w, radius) {
  const margin = dot(w, state.mean) - radius * length(w)
  const deviation = Math.sqrt(axes(state.tilt).reduce(
    (sum, axis, i) => sum + variances[i] * dot(axis, w) ** 2, 0))
  return normalCdf(-margin / deviation)
}

function solve(state) {
  const variances = state.spread.map((each) => each * each)
  const penalty = state.radius > 0 ? penaltyFor(variances, state.radius) : Infinity
  const robust = variances.map((each) => (
    penalty === Infinity ? each : robustVariance(each, penalty)))
  const classifiers = [variances, robust].map((each) => {
    const w = direction(state, each)
    const cosine = dot(w, state.mean) / (length(w) * length(state.mean))
    return {
      w,
      variances: each,
      clean: error(state, variances, w, 0),
      attacked: error(state, variances, w, state.radius),
      angle: (180 / Math.PI) * Math.acos(clamp(cosine, -1, 1)),
    }
  })
  return { variances, penalty, classifiers }
}

function points(state, data) {
  const [first, second] = axes(state.tilt)
  return data.normals.map(([a, b], i) => {
    const centre = add([0, 0], state.mean, data.labels[i])
    return add(add(centre, first, a * state.spread[0]), second, b * state.spread[1])
  })
}

/** How many of the points the classifier gets wrong at the worst change within `radius`. */
function countWrong(samples, labels, w, radius) {
  const reach = radius * length(w)
  return samples.reduce((sum, x, i) => sum + (labels[i] * dot(w, x) - reach <= 0 ? 1 : 0), 0)
}

function wilson(successes, n) {
  const z = 1.959963984540054
  const p = successes / n
  const centre = (p + (z * z) / (2 * n)) / (1 + (z * z) / n)
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n))
  return [Math.max(0, centre - half), Math.min(1, centre + half)]
}

const number = (value) => Number(value.toPrecision(3)).toString()

/** The plot, its handles and the table of one page. */
class Plane {
  constructor(root, data, report) {
    Object.assign(this, { root, data, report, state: data.state })
    this.plot = root.querySelector(".plot")
    this.plot.replaceChildren()
    this.plot.setAttribute("viewBox",
      `${-HALF_WIDTH} ${-HALF_HEIGHT} ${2 * HALF_WIDTH} ${2 * HALF_HEIGHT}`)
    this.plot.setAttribute("aria-label", data.alt)
    svg(this.plot, "line", { class: "axis", x1: -HALF_WIDTH, x2: HALF_WIDTH, y1: 0, y2: 0 })
    svg(this.plot, "line", { class: "axis", y1: -HALF_HEIGHT, y2: HALF_HEIGHT, x1: 0, x2: 0 })
    this.dots = data.labels.slice(0, DRAWN).map((label) => svg(this.plot, "circle", {
      class: "dot", r: 0.14, stroke: data.colours.points,
      fill: label > 0 ? data.colours.points : "none",
    }))
    this.shapes = ["standard", "robust"].map((name) => this.classifierShapes(name))
    this.ball = svg(this.plot, "circle", {
      class: "line", stroke: data.colours.attack, "stroke-dasharray": "0.2 0.3" })
    this.ballLabel = svg(this.plot, "text", { class: "label" })
    this.handles = [
      this.handle("mean of the class +1", (place) => this.moveMean(place), () => this.state.mean),
      this.handle("first spread", (place) => this.moveSpread(0, place), () => this.tip(0)),
      this.handle("second spread", (place) => this.moveSpread(1, place), () => this.tip(1)),
    ]
    this.slider = root.querySelector(".slider")
    this.slider.setAttribute("aria-label", "ε, how far the adversary moves a point")
    this.slider.oninput = () => { this.state.radius = Number(this.slider.value); this.changed() }
    this.resize = new ResizeObserver(() => this.draw())
    this.resize.observe(this.plot)
    this.draw()
  }

  classifierShapes(name) {
    const stroke = this.data.colours[name]
    const dash = name === "robust" ? "0.7 0.35" : ""
    const style = { class: "line", stroke, "stroke-dasharray": dash }
    return {
      line: svg(this.plot, "line", style),
      ellipses: [1, -1].map(() => svg(this.plot, "ellipse", style)),
    }
  }

  handle(name, move, place) {
    const group = svg(this.plot, "g", {
      class: "handle-group", tabindex: 0, role: "button", "aria-label": name })
    svg(group, "circle", { class: "target" })
    svg(group, "circle", { class: "handle" })
    group.onpointerdown = (event) => {
      event.preventDefault()
      group.focus({ preventScroll: true })
      group.setPointerCapture(event.pointerId)
      group.onpointermove = (pointer) => { move(this.at(pointer)); this.changed() }
      group.onpointerup = () => { group.onpointermove = group.onpointerup = null }
      group.onpointercancel = group.onpointerup
    }
    group.onkeydown = (event) => {
      const arrow = ARROWS[event.key]
      if (!arrow) return
      event.preventDefault()
      move(add(place(), arrow, KEY_STEP))
      this.changed()
    }
    return { group, place }
  }

  at(pointer) {
    const box = this.plot.getBoundingClientRect()
    return [
      ((pointer.clientX - box.left) / box.width - 0.5) * 2 * HALF_WIDTH,
      (0.5 - (pointer.clientY - box.top) / box.height) * 2 * HALF_HEIGHT,
    ]
  }

  tip(i) { return add(this.state.mean, axes(this.state.tilt)[i], this.state.spread[i]) }

  moveMean([x, y]) {
    const inside = [clamp(x, 1 - HALF_WIDTH, HALF_WIDTH - 1),
      clamp(y, 1 - HALF_HEIGHT, HALF_HEIGHT - 1)]
    if (length(inside) > 0.2) this.state.mean = inside
  }

  moveSpread(i, place) {
    const difference = add(place, this.state.mean, -1)
    if (length(difference) < 1e-6) return
    this.state.spread[i] = clamp(length(difference), LEAST_SPREAD, MOST_SPREAD)
    this.state.tilt = Math.atan2(difference[1], difference[0]) - (i * Math.PI) / 2
  }

  changed() {
    cancelAnimationFrame(this.frame)
    this.frame = requestAnimationFrame(() => this.draw())
    clearTimeout(this.waiting)
    this.waiting = setTimeout(() => this.report(this.state), PAUSE)
  }

  draw() {
    const { state, data } = this
    const solution = solve(state)
    const samples = points(state, data)
    this.dots.forEach((circle, i) => {
      circle.setAttribute("cx", samples[i][0])
      circle.setAttribute("cy", -samples[i][1])
    })
    solution.classifiers.forEach((each, i) => this.drawClassifier(this.shapes[i], each))
    this.drawBall()
    const unit = (2 * HALF_WIDTH) / Math.max(this.plot.clientWidth, 1) // of the plane, in a pixel
    for (const { group, place } of this.handles) {
      const [x, y] = place()
      const [target, mark] = group.children
      target.setAttribute("r", TOUCH * unit)
      mark.setAttribute("r", Math.max(0.38, MARK * unit))
      group.setAttribute("transform", `translate(${x} ${-y})`)
    }
    this.slider.value = state.radius
    this.slider.setAttribute("aria-valuetext", `ε ${number(state.radius)}`)
    this.root.querySelector(".radius .name").textContent = `ε = ${state.radius.toFixed(2)}`
    this.drawTable(solution, samples)
    this.drawTheorems(solution, samples)
  }

  drawClassifier(shapes, { w, variances }) {
    const along = [-w[1] / length(w), w[0] / length(w)]
    const reach = 2 * HALF_WIDTH
    for (const [name, value] of Object.entries({
      x1: -reach * along[0], y1: reach * along[1], x2: reach * along[0], y2: -reach * along[1],
    })) shapes.line.setAttribute(name, value)
    shapes.ellipses.forEach((ellipse, i) => {
      const [x, y] = add([0, 0], this.state.mean, i === 0 ? 1 : -1)
      const degrees = (-180 / Math.PI) * this.state.tilt
      ellipse.setAttribute("rx", Math.sqrt(variances[0]))
      ellipse.setAttribute("ry", Math.sqrt(variances[1]))
      ellipse.setAttribute("transform", `translate(${x} ${-y}) rotate(${degrees})`)
    })
  }

  drawBall() {
    const [x, y] = this.state.mean
    for (const [name, value] of Object.entries({ cx: x, cy: -y, r: this.state.radius })) {
      this.ball.setAttribute(name, value)
    }
    const right = x + this.state.radius + 0.4 < HALF_WIDTH - 2
    this.ballLabel.setAttribute("x", right ? x + this.state.radius + 0.3 : x - this.state.radius - 0.3)
    this.ballLabel.setAttribute("text-anchor", right ? "start" : "end")
    this.ballLabel.setAttribute("y", -y)
    this.ballLabel.textContent = this.state.radius > 0 ? "ε" : ""
  }

  drawTable({ classifiers }, samples) {
    const { labels, colours } = this.data
    const n = labels.length
    const head = this.root.querySelector(".errors thead")
    const body = this.root.querySelector(".errors tbody")
    head.replaceChildren()
    body.replaceChildren()
    const titles = child(head, "tr", "")
    child(titles, "td", "")
    for (const name of ["standard", "robust"]) {
      const cell = child(titles, "th", "")
      const key = child(cell, "span", name === "robust" ? "key dashed" : "key")
      key.style.borderTopColor = colours[name]
      child(cell, "span", "", ` ${name}`)
    }
    const rows = [
      ["Wrong on points as they are", "clean", 0],
      ["Wrong at the worst change of length ε", "attacked", this.state.radius],
    ]
    for (const [title, field, radius] of rows) {
      const row = child(body, "tr", field)
      child(row, "th", "", title).scope = "row"
      for (const each of classifiers) {
        const cell = child(row, "td", "")
        child(cell, "span", "value", confidenceText(each[field]))
        const wrong = countWrong(samples, labels, each.w, radius)
        const [low, high] = wilson(wrong, n)
        child(cell, "span", "check",
          `drawn: ${wrong} of ${n.toLocaleString("en")} points (95\u00a0% interval ${percent(low)} to ${percent(high)})`)
      }
    }
    const row = child(body, "tr", "angle")
    child(row, "th", "", "Angle between its gradient and the line from class to class").scope = "row"
    for (const each of classifiers) child(row, "td", "value", `${each.angle.toFixed(1)}°`)
  }

  drawTheorems({ variances, penalty, classifiers }, samples) {
    const list = this.root.querySelector(".theorems")
    list.replaceChildren()
    const least = 1 / Math.min(...variances)
    const [standard, robust] = classifiers
    child(list, "li", "theorem-1", this.theorem1(variances, penalty, least, samples))
    child(list, "li", "theorem-2", penalty === Infinity
      ? "Theorem 2: without an adversary, maximum likelihood learns the true variances, "
        + `${variances.map(number).join(" and ")}.`
      : `Theorem 2: against an adversary that moves points by ε in the root mean square `
        + `(λ = ${number(penalty)}), it learns the variances `
        + `${robust.variances.map(number).join(" and ")} where the true ones are `
        + `${variances.map(number).join(" and ")}. The mean stays.`)
    child(list, "li", "theorem-3",
      `Theorem 3: the gradient turns towards the line from class to class, by `
      + `${(standard.angle - robust.angle).toFixed(1)}°.`)
  }

  theorem1(variances, penalty, least, samples) {
    if (!(penalty > least)) {
      return `Theorem 1: a penalty of ${number(penalty)} on the square of a change is below `
        + `1/σ_min(Σ) = ${number(least)}. It would not stop the adversary of the standard `
        + "classifier, whose gain grows for ever."
    }
    if (penalty === Infinity) return "Theorem 1: without an adversary there is no gap."
    const factors = variances.map((each) => (1 + 1 / (penalty * each - 1)) ** 2 - 1)
    const gap = factors[0] + factors[1]
    const frame = axes(this.state.tilt)
    const drawn = samples.reduce((sum, x, i) => {
      const z = add(x, this.state.mean, -this.data.labels[i])
      return sum + frame.reduce((part, axis, k) => (
        part + (factors[k] * dot(axis, z) ** 2) / variances[k]), 0)
    }, 0) / samples.length
    return `Theorem 1: with the penalty C = ${number(penalty)}, an adversary raises the loss of the `
      + `standard classifier by tr[(I + (CΣ − I)⁻¹)²] − d = ${number(gap)} `
      + `(${number(drawn)} on the points drawn).`
  }

  close() {
    cancelAnimationFrame(this.frame)
    clearTimeout(this.waiting)
    this.resize.disconnect()
  }
}

const planes = new WeakMap()
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b)

export default function (component) {
  if (!component.data) return undefined
  const { parentElement, setTriggerValue } = component
  const [data] = component.data
  const plane = planes.get(parentElement)
  const report = ({ mean, spread, tilt, radius }) => {
    const rounded = [...mean, ...spread, tilt, radius].map((value) => Math.round(value * 1e3) / 1e3)
    setTriggerValue("moved", rounded)
  }
  if (!plane) {
    planes.set(parentElement, new Plane(parentElement, data, report))
  } else if (!same(plane.data.state_id, data.state_id)) {
    Object.assign(plane, { data, report, state: data.state })
    plane.draw()
  }
  return () => {
    const last = planes.get(parentElement)
    if (last) last.close()
    planes.delete(parentElement)
  }
}
