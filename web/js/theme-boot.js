// Before the first paint, so that nobody sees the other theme flash: a classic script, which theme.js takes over from.
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is blocked: the system's theme it is.
}
