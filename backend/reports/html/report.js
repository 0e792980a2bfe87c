/* Draws the figures of this file in the reader's colours and filters its tables. Talks to nobody. */
"use strict";
(() => {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  function template() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const axis = { gridcolor: colour("--line"), zerolinecolor: colour("--line"), linecolor: colour("--line") };
    return {
      layout: {
        font: { family: style.fontFamily || "sans-serif", color: colour("--ink"), size: 13 },
        paper_bgcolor: "rgba(0,0,0,0)",
        plot_bgcolor: "rgba(0,0,0,0)",
        xaxis: { automargin: true, ...axis },
        yaxis: { automargin: true, ...axis },
        hoverlabel: { bgcolor: colour("--panel"), font: { color: colour("--ink") }, bordercolor: colour("--line") },
      },
    };
  }

  for (const place of document.querySelectorAll("[data-figure]")) {
    const figure = JSON.parse(document.getElementById(place.dataset.figure).textContent);
    Plotly.newPlot(place, figure.data, { ...figure.layout, template: template(), autosize: true, width: undefined }, {
      responsive: true,
      displaylogo: false,
      modeBarButtonsToRemove: ["select2d", "lasso2d"],
    });
  }

  dark.addEventListener("change", () => {
    for (const place of document.querySelectorAll("[data-figure]")) {
      Plotly.relayout(place, { template: template() });
    }
  });

  for (const field of document.querySelectorAll("input[data-filters]")) {
    const rows = document.querySelectorAll(`#${field.dataset.filters} > tbody > tr`);
    const shown = document.querySelector(`[data-shown="${field.dataset.filters}"]`);
    field.addEventListener("input", () => {
      const wanted = field.value.trim().toLowerCase();
      let n = 0;
      for (const row of rows) {
        row.hidden = !row.textContent.toLowerCase().includes(wanted);
        n += row.hidden ? 0 : 1;
      }
      shown.textContent = `${n} of ${rows.length}`;
    });
  }
})();
