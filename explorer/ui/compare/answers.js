function heading(row, text, scope) {
  const cell = child(row, "th", "", text)
  cell.scope = scope
  return cell
}

function drawCell(row, column, cell) {
  const td = child(row, "td", cell.is_own ? "own" : "")
  td.style.setProperty("--classifier", column.colour)
  child(td, "span", "shown-to", column.title).setAttribute("aria-hidden", "true")
  if (cell.mark) {
    const mark = child(td, "span", "mark")
    child(mark, "span", "icon", cell.mark.icon).style.setProperty("--mark", cell.mark.colour)
    mark.append(` ${cell.mark.word}`)
  }
  if (cell.name) {
    child(td, "span", "name", `${cell.name} `)
    child(td, "span", "confidence", cell.confidence)
  }
  if (cell.note) child(td, "span", "note", cell.note)
}

export default function (component) {
  if (!component.data) return
  const [data] = component.data
  const head = component.parentElement.querySelector("thead")
  const body = component.parentElement.querySelector("tbody")
  head.replaceChildren()
  body.replaceChildren()
  const first = child(head, "tr", "")
  heading(first, "picture", "col")
  for (const column of data.columns) {
    heading(first, `shown to ${column.title}`, "col").style.setProperty("--classifier", column.colour)
  }
  for (const row of data.rows) {
    const line = child(body, "tr", "")
    heading(line, row.title, "row")
    row.cells.forEach((cell, i) => drawCell(line, data.columns[i], cell))
  }
}
