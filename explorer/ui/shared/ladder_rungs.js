// The rungs of each triptych's ladder by ε, for the live ε, which lists itself under `listeners`.
const store = (globalThis.explorerLadders ??= { ladders: new Map(), listeners: new Set() })

export default function (component) {
  if (!component.data) return
  const [{ place, ladder, rungs }] = component.data
  let known = store.ladders.get(place)
  if (known?.id !== ladder) {
    known = { id: ladder, rungs: new Map() }
    store.ladders.set(place, known)
  }
  for (const rung of rungs) {
    known.rungs.set(rung.epsilon, rung)
    // Decoded before it is needed, and kept: the browser then paints it without a pause.
    rung.images = rung.shown.pictures.map((picture) => {
      const image = new Image()
      image.src = picture.src
      image.decode().catch(() => {})
      return image
    })
  }
  for (const listener of store.listeners) listener(place)
}
