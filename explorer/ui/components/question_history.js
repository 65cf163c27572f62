/** The question that was answered last: its address, and whether the visitor stepped through time. */
function rememberQuestions() {
  const memory = { question: null, url: null, stepped: false, keys: {} } // keys by path
  const push = history.pushState.bind(history)
  const isHere = (url) => new URL(url, location.href).pathname === location.pathname
  const restore = () => {
    if (memory.url && isHere(memory.url)) history.replaceState(history.state, "", memory.url)
  }
  // What Streamlit adds for a widget belongs to the question that is about to be asked; for another
  // page it adds an entry, below which the question has to be that was answered.
  history.pushState = (state, title, url) => {
    if (isHere(url ?? "")) return history.replaceState(state, title, url)
    restore()
    return push(state, title, url)
  }
  addEventListener("popstate", () => { memory.stepped = true })
  memory.clean = (keys) => {
    const before = memory.keys[location.pathname] ?? [] // of other sections of this page, too
    memory.keys[location.pathname] = [...new Set([...before, ...keys])]
    const url = new URL(location.href)
    for (const key of Object.values(memory.keys).flat()) {
      if (!keys.includes(key)) url.searchParams.delete(key)
    }
    if (url.href !== location.href) history.replaceState(history.state, "", url)
  }
  memory.settle = (question) => {
    const here = location.href
    const isNext = memory.question && memory.question !== question && !memory.stepped
    if (isNext && isHere(memory.url) && memory.url !== here) {
      restore()
      push(history.state, "", here)
    }
    Object.assign(memory, { question, url: here, stepped: false })
  }
  return memory
}

const questions = (globalThis.explorerQuestions ??= rememberQuestions())

export default function (component) {
  if (!component.data) return
  const [data] = component.data
  questions.clean(data.keys)
  if (data.question) questions.settle(data.question)
}
