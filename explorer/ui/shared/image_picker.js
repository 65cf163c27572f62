export default function (component) {
  if (!component.data) return
  const { parentElement, setTriggerValue } = component
  const [data] = component.data
  const grid = parentElement.querySelector(".grid")
  const titles = data.items.map((item) => item.title).join("\n")
  if (grid.dataset.titles !== titles) {
    grid.dataset.titles = titles
    grid.replaceChildren(...data.items.map((item) => {
      const button = document.createElement("button")
      button.type = "button"
      button.className = "item"
      button.title = item.title
      button.setAttribute("role", "radio")
      const image = document.createElement("img")
      image.src = item.src
      image.alt = item.title
      button.append(image)
      return button
    }))
  }
  for (const button of grid.children) {
    button.setAttribute("aria-checked", String(button.title === data.chosen))
    button.onclick = () => setTriggerValue("picked", button.title)
  }
  oneTabStop(grid, data.items.findIndex((item) => item.title === data.chosen))
}
