// The keys of the presenter's mode. A slider or a text that has the focus uses them first.
const MEANINGS = {
  ArrowRight: "next", PageDown: "next", ArrowLeft: "previous", PageUp: "previous", Escape: "leave",
}
const OWN_KEYS = "input, textarea, select, [role=slider], [role=radiogroup], [contenteditable=true]"

const listeners = new WeakMap()

/** A choice that was made gives the arrow keys back: while it is focused they move among choices. */
function leaveChoice(event) {
  if (event.type === "keyup" && event.key !== "Enter" && event.key !== " ") return
  const choice = event.composedPath().find((element) => element.matches?.("[role=radio]"))
  if (choice) setTimeout(() => choice.blur())
}

function usesKeys(event) {
  if (event.key === "Escape") return false
  return event.composedPath().some((element) => element.matches?.(OWN_KEYS))
}

function isPopoverOpen() {
  return Boolean(document.querySelector("[data-testid=stPopoverBody], [role=listbox]"))
}

export default function (component) {
  const { parentElement } = component
  const previous = listeners.get(parentElement)
  if (previous) removeEventListener("keydown", previous)
  for (const kind of ["click", "keyup"]) addEventListener(kind, leaveChoice, true) // added once
  const listener = (event) => {
    const meaning = MEANINGS[event.key]
    if (!meaning || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
    if (usesKeys(event) || isPopoverOpen()) return
    event.preventDefault()
    component.setTriggerValue("pressed", meaning)
  }
  listeners.set(parentElement, listener)
  addEventListener("keydown", listener)
  return () => {
    removeEventListener("keydown", listener)
    for (const kind of ["click", "keyup"]) removeEventListener(kind, leaveChoice, true)
    listeners.delete(parentElement)
  }
}
