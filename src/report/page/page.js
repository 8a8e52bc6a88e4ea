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

  // A dashed line across the bars, where x has this value.
  function upright(id, value) {
    return {
      id: id,
      afterDatasetsDraw: function (c) {
        const x = c.scales.x.getPixelForValue(value);
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
  }

  const kinds = {
    // Shares as horizontal bars; the dashed line is what chance gives.
    bars: function (chart) {
      return {
        type: "bar",
        data: {labels: chart.names, datasets: [{
          data: chart.values.map(function (v) { return v === null ? null : 100 * v; }),
          backgroundColor: colour("accent"), barPercentage: 0.8, maxBarThickness: 26
        }]},
        options: options(axis("UAR (%)", {min: 0, max: 100}), axis("", {ticks: {color: colour("muted"), autoSkip: false}}),
                         {indexAxis: "y"}),
        plugins: [upright("chance", 100 * chart.chance)]
      };
    },
    // Figures with their 95 % intervals, a row each; the dashed line is what they are held against.
    intervals: function (chart) {
      const dots = {
        id: "dots",
        afterDatasetsDraw: function (c) {
          c.ctx.save();
          c.ctx.fillStyle = colour("ink");
          chart.values.forEach(function (value, i) {
            c.ctx.beginPath();
            c.ctx.arc(c.scales.x.getPixelForValue(100 * value), c.scales.y.getPixelForValue(i), 5, 0, 2 * Math.PI);
            c.ctx.fill();
          });
          c.ctx.restore();
        }
      };
      const ends = chart.values.map(function (value, i) {
        return chart.low[i] === null ? [100 * value, 100 * value] : [100 * chart.low[i], 100 * chart.high[i]];
      });
      const x = axis(chart.unit, chart.zero ? {suggestedMin: -1, suggestedMax: 1} : {min: 0, max: 100});
      const more = {indexAxis: "y"};
      more.plugins = {legend: {display: false}, tooltip: {callbacks: {label: function (item) {
        const i = item.dataIndex, to = function (v) { return v === null ? "-" : (100 * v).toFixed(1); };
        return to(chart.values[i]) + ", 95 % " + to(chart.low[i]) + " to " + to(chart.high[i]);
      }}}};
      return {
        type: "bar",
        data: {labels: chart.names, datasets: [{data: ends, backgroundColor: colour("accent"), maxBarThickness: 8}]},
        options: options(x, axis("", {ticks: {color: colour("muted"), autoSkip: false}}), more),
        plugins: [upright("reference", 100 * chart.reference), dots]
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
