function buildTile(grid, tile, onClick) {
  const button = child(grid, "button", "tile")
  button.type = "button"
  button.title = tile.help
  button.setAttribute("aria-label", tile.help)
  const image = child(button, "img", "")
  image.src = tile.src
  image.alt = ""
  child(button, "div", "label", tile.label)
  for (const bar of tile.bars) {
    const fill = child(child(button, "div", "track"), "div", "fill")
    fill.style.setProperty("--colour", bar.colour)
    fill.style.width = `${100 * bar.value}%`
  }
  button.onclick = () => {
    onClick(tile.index)
    // The row of the tile is further up on the page.
    const above = document.querySelector(".st-key-notice")
    if (!above) return
    above.style.scrollMarginTop = "5rem"
    above.scrollIntoView({ behavior: "smooth" })
  }
}

export default function (component) {
  if (!component.data) return
  const { parentElement, setTriggerValue } = component
  const [data] = component.data
  const grid = parentElement.querySelector(".grid")
  grid.classList.toggle("pixelated", data.pixelated)
  grid.replaceChildren()
  for (const tile of data.tiles) buildTile(grid, tile, (index) => setTriggerValue("clicked", index))
  oneTabStop(grid)
}
