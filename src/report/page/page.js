// Draws the charts that the page's data asks for. Every figure stands in a table too.
(function () {
  "use strict";
  const charts = JSON.parse(document.getElementById("data").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const drawn = [];

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  }
  function axis(title, more) {
    return Object.assign({
      title: {display: title !== "", text: title, color: colour("muted")},
      ticks: {color: colour("muted")},
      grid: {color: colour("line")}
    }, more);
  }
  function options(x, y, more) {
    return Object.assign({
      animation: false, responsive: true, maintainAspectRatio: false,
      plugins: {legend: {display: false}}, scales: {x: x, y: y}
    }, more);
  }
  function hue(i, n) {
    return "hsl(" + Math.round(205 + 360 * i / n) % 360 + ", 60%, " + (dark.matches ? 65 : 42) + "%)";
  }

  const kinds = {
    // Shares as horizontal bars; the dashed line is what chance gives.
    bars: function (chart) {
      const line = {
        id: "chance",
        afterDatasetsDraw: function (c) {
          const x = c.scales.x.getPixelForValue(100 * chart.chance);
          c.ctx.save();
          c.ctx.strokeStyle = colour("ink");
          c.ctx.setLineDash([5, 4]);
          c.ctx.lineWidth = 1.5;
          c.ctx.beginPath();
          c.ctx.moveTo(x, c.chartArea.top);
          c.ctx.lineTo(x, c.chartArea.bottom);
          c.ctx.stroke();
          c.ctx.restore();
        }
      };
      return {
        type: "bar",
        data: {labels: chart.names, datasets: [{
          data: chart.values.map(function (v) { return v === null ? null : 100 * v; }),
          backgroundColor: colour("accent"), barPercentage: 0.8, maxBarThickness: 26
        }]},
        options: options(axis("UAR (%)", {min: 0, max: 100}), axis("", {ticks: {color: colour("muted"), autoSkip: false}}),
                         {indexAxis: "y"}),
        plugins: [line]
      };
    },
    // A line a training, with a dot at the epoch that was chosen.
    curves: function (chart) {
      return {
        type: "line",
        data: {datasets: chart.lines.map(function (line, i) {
          const points = line.values.map(function (y, k) { return {x: k + 1, y: y}; });
          return {
            label: line.name, data: points, borderWidth: 1.5, borderColor: hue(i, chart.lines.length),
            backgroundColor: hue(i, chart.lines.length),
            pointRadius: points.map(function (p) { return p.x === line.chosen || points.length === 1 ? 4 : 0; })
          };
        })},
        options: options(axis("epoch", {type: "linear", min: 1, ticks: {color: colour("muted"), precision: 0}}),
                         axis(chart.unit))
      };
    },
    reliability: function (chart) {
      return {
        type: "scatter",
        data: {datasets: [
          {label: "model", data: chart.points, showLine: true, borderColor: colour("accent"),
           backgroundColor: colour("accent"), pointRadius: 3},
          {label: "as it should be", data: [{x: 0, y: 0}, {x: 1, y: 1}], showLine: true, pointRadius: 0,
           borderColor: colour("muted"), borderDash: [5, 4], borderWidth: 1}
        ]},
        options: options(axis("confidence", {min: 0, max: 1}), axis("share that is right", {min: 0, max: 1}))
      };
    }
  };

  function draw() {
    while (drawn.length > 0) drawn.pop().destroy();
    charts.forEach(function (chart) {
      drawn.push(new Chart(document.getElementById(chart.id), kinds[chart.kind](chart)));
    });
  }
  document.documentElement.classList.add("scripted");
  draw();
  dark.addEventListener("change", draw);
  window.matchMedia("print").addEventListener("change", draw);  // paper has its own colours and width
})();
