// Of every page: what Streamlit does not do of itself. See styled_pages.py.

// The menu of pages lies over the page on a phone: it closes when a page is chosen.
document.addEventListener("click", (event) => {
  if (!event.target.closest?.("[data-testid=stSidebarNavLink]")) return
  if (!matchMedia("(max-width: 768px)").matches) return
  document.querySelector("[data-testid=stSidebarCollapseButton] button")?.click()
})

// It is closed when a page is loaded: Streamlit would open it again if it was open before.
if (matchMedia("(max-width: 768px)").matches) {
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith("stSidebarCollapsed-")) localStorage.removeItem(key)
  }
}

// A table that is wider than the window is moved by the arrow keys too: it takes the focus.
let isTableCheckPlanned = false
function checkTables() {
  isTableCheckPlanned = false
  for (const box of document.querySelectorAll("[data-testid=stMarkdownContainer]:has(> table)")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0
    else box.removeAttribute("tabindex")
  }
}
function planTableCheck() {
  if (isTableCheckPlanned) return
  isTableCheckPlanned = true
  setTimeout(checkTables, 200)
}
addEventListener("resize", planTableCheck)
new MutationObserver(planTableCheck).observe(document.body, { childList: true, subtree: true })
