// The keys of the presenter's mode. A slider or a text that has the focus uses them first.
const STEPS = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 }
const OWN_KEYS = "input:not([type=checkbox]), textarea, select, [role=slider], [role=radiogroup], " +
  "[contenteditable=true]"
// A remote control sends these two keys: they lead on even while a slider has the focus.
const REMOTE = ["PageDown", "PageUp"]
const PATIENCE = 10_000 // milliseconds for which the page may be behind the keys
const SETTLED = 3000 // milliseconds after which another stop is not one that the key has lost to
const MOST_TRIES = 3

// A key goes on from the stop that the last key asked for, which the page may not have opened yet.
const asked = (globalThis.explorerPresenter ??= {
  stop: null, count: 0, time: 0, tries: 0, // of the last key
  shown: null, // the stop that is on the screen
})
const listeners = new WeakMap()

/** The page went to another stop without a key. */
function forget() { asked.stop = null }

/** A choice that was made gives the arrow keys back: while it is focused they move among choices. */
function leaveChoice(event) {
  if (event.type === "click") forget()
  if (event.type === "keyup" && event.key !== "Enter" && event.key !== " ") return
  const choice = event.composedPath().find((element) => element.matches?.("[role=radio]"))
  if (!choice) return
  setTimeout(() => choice.blur())
  if (choice.closest(".st-key-tour-question")) showAnswer(answerText())
}

/** Another stop begins at its title, wherever the last one was scrolled to. */
function showBeginning(stop) {
  if (asked.shown !== null && asked.shown !== stop) {
    document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0)
  }
  asked.shown = stop
}

function answerText() { return document.querySelector(".st-key-tour-answer")?.innerText }

/** An answer that comes below the window is brought into view, and its question with it. */
function showAnswer(before, tries = 50) {
  const answer = document.querySelector(".st-key-tour-answer")
  if (!answer || answer.innerText === before) {
    if (tries > 0) setTimeout(() => showAnswer(before, tries - 1), 200)
    return
  }
  if (answer.getBoundingClientRect().bottom <= innerHeight) return
  document.querySelector(".st-key-tour-question")?.scrollIntoView({ block: "start" })
}

function usesKeys(event) {
  if (event.key === "Escape" || REMOTE.includes(event.key)) return false
  return event.composedPath().some((element) => element.matches?.(OWN_KEYS))
}

function isPopoverOpen() {
  return Boolean(document.querySelector("[data-testid=stPopoverBody], [role=listbox]"))
}

function ask(component, step) {
  const { stop, first, last } = component.data[0]
  const from = Date.now() - asked.time < PATIENCE ? asked.stop ?? stop : stop
  const goal = Math.min(last, Math.max(first, from + step))
  if (goal === from) return
  Object.assign(asked, { stop: goal, time: Date.now(), tries: 0 })
  send(component)
}

function send(component) {
  asked.count += 1
  component.setStateValue("asked", [asked.stop, asked.count])
}

/** A run of the page that began before a key can take the page back: the key is sent once more. */
function askAgain(component) {
  const isLost = asked.stop !== null && component.data[0].stop !== asked.stop
  if (!isLost || Date.now() - asked.time > SETTLED || asked.tries === MOST_TRIES) return
  asked.tries += 1
  send(component)
}

export default function (component) {
  if (!component.data) return undefined
  const { parentElement } = component
  askAgain(component)
  showBeginning(component.data[0].stop)
  const previous = listeners.get(parentElement)
  if (previous) removeEventListener("keydown", previous, true)
  for (const kind of ["click", "keyup"]) addEventListener(kind, leaveChoice, true) // added once
  addEventListener("popstate", forget)
  const listener = (event) => {
    const isLeaving = event.key === "Escape"
    if (!isLeaving && !STEPS[event.key]) return
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (usesKeys(event) || isPopoverOpen()) return
    event.preventDefault()
    event.stopPropagation() // a slider would take it too
    if (isLeaving) component.setTriggerValue("left", true)
    else ask(component, STEPS[event.key])
  }
  listeners.set(parentElement, listener)
  addEventListener("keydown", listener, true) // before a slider
  return () => {
    removeEventListener("keydown", listener, true)
    for (const kind of ["click", "keyup"]) removeEventListener(kind, leaveChoice, true)
    removeEventListener("popstate", forget)
    listeners.delete(parentElement)
  }
}
