// Sets the chosen theme before the first paint, so that nothing flashes. A plain
// script: a module would run too late.
"use strict";

const themes = ["automatic", "light", "dark"];

function storedTheme() {
  try {
    const theme = localStorage.getItem("theme");
    return themes.includes(theme) ? theme : "automatic";
  } catch {
    return "automatic"; // the browser keeps nothing
  }
}

function showTheme(theme) {
  document.documentElement.dataset.theme = theme;
  const button = document.getElementById("theme-button");
  if (button) {
    button.textContent = `Theme: ${theme}`;
  }
}

showTheme(storedTheme());
document.addEventListener("DOMContentLoaded", () => {
  showTheme(storedTheme());
  document.getElementById("theme-button").addEventListener("click", () => {
    const next = themes[(themes.indexOf(document.documentElement.dataset.theme) + 1) % themes.length];
    try {
      localStorage.setItem("theme", next);
    } catch {
      // Then it lasts as long as the page.
    }
    showTheme(next);
  });
});
