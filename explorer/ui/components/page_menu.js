// The menu of pages lies over the page on a phone: it closes when a page is chosen.
document.addEventListener("click", (event) => {
  if (!event.target.closest?.("[data-testid=stSidebarNavLink]")) return
  if (!matchMedia("(max-width: 768px)").matches) return
  document.querySelector("[data-testid=stSidebarCollapseButton] button")?.click()
})
