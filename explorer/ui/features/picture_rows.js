function drawTile(parent, tile) {
  const figure = child(parent, "figure", "")
  child(figure, "div", "tile-title", tile.title)
  const picture = child(figure, "div", "picture")
  const img = child(picture, "img", tile.pixelated ? "pixelated" : "")
  img.src = tile.src
  img.alt = tile.alt
  const caption = child(figure, "figcaption", "")
  if (tile.name) child(caption, "span", "name", tile.name)
  for (const note of tile.notes) child(caption, "span", "note", note)
}

export default function (component) {
  if (!component.data) return
  const [{ rows }] = component.data
  const root = component.parentElement.querySelector(".rows")
  root.replaceChildren()
  for (const row of rows) {
    const section = child(root, "section", "")
    section.style.setProperty("--classifier", row.colour)
    const header = child(section, "header", "")
    child(header, "h2", "title", row.title)
    child(header, "span", "training", row.training)
    if (row.sentence) child(header, "p", "sentence", row.sentence)
    const tiles = child(section, "div", "tiles")
    if (row.tiles.length < 4) tiles.classList.add("few")
    if (row.tiles.length > 6) tiles.classList.add("many")
    tiles.style.setProperty("--count", String(row.tiles.length))
    for (const tile of row.tiles) drawTile(tiles, tile)
  }
}
