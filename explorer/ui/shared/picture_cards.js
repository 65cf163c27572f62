function build(root) {
  const card = child(root, "figure", "card")
  const parts = {
    title: child(card, "div", "title"),
    classifier: child(card, "div", "classifier"),
    img: child(child(card, "div", "picture"), "img", ""),
  }
  const caption = child(card, "figcaption", "")
  for (const part of ["name", "confidence", "note"]) parts[part] = child(caption, "span", part)
  return { card, ...parts }
}

function fill(parts, data) {
  for (const part of ["title", "classifier", "name", "confidence", "note"]) {
    parts[part].textContent = data[part]
  }
  parts.img.decoding = "sync" // no empty picture while an answer comes
  if (parts.img.src !== data.src) parts.img.src = data.src
  parts.img.alt = data.alt
  parts.img.classList.toggle("pixelated", data.pixelated)
  parts.name.style.setProperty("--mark", data.colour ?? "currentColor")
  parts.card.classList.toggle("framed", Boolean(data.frame))
  if (data.frame) parts.card.style.setProperty("--frame", data.frame)
}

const views = new WeakMap()

export default function (component) {
  if (!component.data) return
  const { parentElement } = component
  const [{ cards }] = component.data
  const root = parentElement.querySelector(".cards")
  let view = views.get(parentElement)
  if (!view || view.length !== cards.length) {
    root.replaceChildren()
    root.style.setProperty("--count", String(cards.length))
    view = cards.map(() => build(root))
    views.set(parentElement, view)
  }
  cards.forEach((card, i) => fill(view[i], card))
}
