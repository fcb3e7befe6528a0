const search = document.querySelector("nav input");
const buttons = [...document.querySelectorAll("nav button")];
const nothing = document.querySelector(".nothing");
const cases = [...document.querySelectorAll("section > details")];

// Show the cases of the pressed outcomes (none pressed: all) that hold every word of the search.
function filter() {
  const outcomes = buttons.filter((b) => b.getAttribute("aria-pressed") === "true").map((b) => b.dataset.outcome);
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const one of cases) {
    const text = one.textContent.toLowerCase();
    one.hidden =
      (outcomes.length > 0 && !outcomes.includes(one.dataset.outcome)) || !words.every((word) => text.includes(word));
  }
  for (const section of new Set(cases.map((one) => one.parentElement))) {
    section.hidden = [...section.querySelectorAll(":scope > details")].every((one) => one.hidden);
  }
  nothing.hidden = cases.some((one) => !one.hidden);
}

search.addEventListener("input", filter);
for (const button of buttons) {
  button.addEventListener("click", () => {
    button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") === "true" ? "false" : "true");
    filter();
  });
}
