function coloured(parent, className, item) {
  const element = child(parent, "span", className + (item.striped ? " striped" : ""))
  element.style.setProperty("--colour", item.colour)
  return element
}

function buildNote(note) {
  return { thumbnail: child(note, "img", ""), note: child(note, "span", "") }
}

function buildCard(row) {
  const card = child(row, "article", "card")
  const head = child(card, "div", "head")
  const picture = child(card, "div", "picture")
  return {
    card,
    name: child(head, "div", "name"),
    title: child(head, "div", "title"),
    img: child(picture, "img", ""),
    ...buildNote(child(card, "div", "note")),
    labels: child(card, "dl", "labels"),
    classes: child(card, "div", "classes"),
    sentence: child(card, "div", "sentence"),
  }
}

function fillLabels(labels, data) {
  labels.replaceChildren()
  if (!data.label) return
  child(labels, "dt", "", "label")
  child(labels, "dd", data.differs ? "differs" : "", data.label)
  child(labels, "dt", "", data.look_heading)
  child(labels, "dd", "", data.looks_like)
}

function fillClasses(classes, data) {
  classes.replaceChildren()
  for (const each of data.classes ?? []) {
    const box = child(classes, "div", "class")
    child(box, "span", "of", each.name)
    if (each.roles.length) child(box, "span", "role", ` ${each.roles.join(", ")}`)
    for (const bar of each.bars) {
      const line = child(box, "div", bar.is_prediction ? "bar predicted" : "bar")
      const prediction = bar.is_prediction ? ", its prediction" : ""
      line.title = `${bar.classifier}: ${bar.text} “${each.name}”${prediction}`
      child(line, "span", "classifier", bar.classifier)
      const fill = coloured(child(line, "span", "track"), "fill", bar)
      fill.style.display = "block"
      fill.style.width = `${100 * bar.value}%`
      child(line, "span", "value", bar.text)
    }
  }
}

function fillSentence(sentence, data) {
  sentence.replaceChildren()
  sentence.classList.toggle("empty", !data.explanation)
  if (!data.explanation) return
  for (const each of data.explanation) {
    child(sentence, "b", "", each.lead)
    sentence.append(` ${each.text} `)
  }
  child(sentence, "div", "built-with", data.built_with)
}

function fill(parts, data) {
  parts.card.setAttribute("aria-label", `${data.name}, ${data.title}`)
  parts.name.textContent = data.name
  parts.title.textContent = data.title
  parts.img.classList.toggle("waiting", !data.src)
  if (data.src && parts.img.src !== data.src) parts.img.src = data.src
  parts.img.alt = data.alt
  parts.thumbnail.hidden = !data.thumbnail
  if (data.thumbnail) parts.thumbnail.src = data.thumbnail
  parts.thumbnail.alt = ""
  parts.note.textContent = data.note
  fillLabels(parts.labels, data)
  fillClasses(parts.classes, data)
  fillSentence(parts.sentence, data)
}

const cardsOf = new WeakMap()

export default function (component) {
  if (!component.data) return
  const { parentElement } = component
  const [data] = component.data
  const row = parentElement.querySelector(".row")
  row.classList.toggle("pixelated", data.pixelated)
  let cards = cardsOf.get(parentElement)
  if (!cards || cards.length !== data.cards.length) {
    row.replaceChildren()
    cards = data.cards.map(() => buildCard(row))
    cardsOf.set(parentElement, cards)
  }
  data.cards.forEach((card, i) => fill(cards[i], card))
  const legend = parentElement.querySelector(".legend")
  legend.replaceChildren()
  for (const classifier of data.legend) {
    const key = child(legend, "span", "key")
    coloured(key, "swatch", classifier)
    child(key, "span", "", classifier.name)
  }
}
