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
  function legend(more) {
    more.labels = Object.assign({color: colour("muted"), boxWidth: 14, boxHeight: 2}, more.labels);
    return more;
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
      const x = axis(chart.unit, chart.zero ? {suggestedMin: -1, suggestedMax: 1} : {min: 0});
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
      const folds = Array.from(new Set(chart.lines.map(function (line) { return line.fold; })));
      const dashes = [[], [7, 3], [2, 3], [9, 3, 2, 3]];
      const of = function (item) { return chart.lines[item.datasetIndex]; };
      const more = {plugins: {legend: legend({
        display: folds.length > 1 && folds.length <= 16,
        // One entry a fold, which hides and shows all its seeds.
        labels: {filter: function (item) { return of(item).dash === 0; }},
        onClick: function (event, item, shown) {
          const visible = shown.chart.isDatasetVisible(item.datasetIndex);
          chart.lines.forEach(function (line, i) {
            if (line.fold === of(item).fold) shown.chart.setDatasetVisibility(i, !visible);
          });
          shown.chart.update();
        }
      }), tooltip: {callbacks: {label: function (item) {
        return "fold " + (of(item).fold + 1) + ", seed " + of(item).seed + ": " + item.formattedValue;
      }}}}};
      return {
        type: "line",
        data: {datasets: chart.lines.map(function (line) {
          const points = line.values.map(function (y, k) { return {x: k + 1, y: y}; });
          const own = hue(folds.indexOf(line.fold), folds.length);
          return {
            label: "fold " + (line.fold + 1), data: points, borderWidth: 1.5, borderColor: own,
            borderDash: dashes[line.dash % dashes.length], backgroundColor: own,
            pointRadius: points.map(function (p) { return p.x === line.chosen || points.length === 1 ? 4 : 0; })
          };
        })},
        options: options(axis("epoch", {type: "linear", min: 1, ticks: {color: colour("muted"), precision: 0}}),
                         axis(chart.unit), more)
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
        options: options(axis("confidence", {min: 0, max: 1}), axis("share that is right", {min: 0, max: 1}),
                         {plugins: {legend: legend({display: true})}})
      };
    },
    // Correlations of columns with each other: cells between the ticks of two axes.
    matrix: function (chart) {
      const n = chart.names.length;
      const points = [];
      chart.values.forEach(function (row, y) {
        row.forEach(function (r, x) { points.push({x: x, y: y, r: r}); });
      });
      const cells = {
        id: "cells",
        beforeDatasetsDraw: function (c) {
          const wide = c.chartArea.width / n, high = c.chartArea.height / n;
          c.ctx.save();
          points.forEach(function (p) {
            if (p.r === null) return;
            c.ctx.globalAlpha = Math.abs(p.r);
            c.ctx.fillStyle = colour(p.r < 0 ? "warn" : "accent");
            c.ctx.fillRect(c.scales.x.getPixelForValue(p.x) - wide / 2, c.scales.y.getPixelForValue(p.y) - high / 2, wide, high);
          });
          c.ctx.restore();
        }
      };
      const along = function (more) {
        return axis("", Object.assign({type: "linear", min: -0.5, max: n - 0.5, grid: {display: false}, afterBuildTicks: function (a) {
          a.ticks = chart.names.map(function (name, i) { return {value: i}; });
        }}, more, {ticks: {color: colour("muted"), font: {size: 10}, maxRotation: 90, callback: function (v) { return chart.names[v]; }}}));
      };
      return {
        type: "scatter",
        data: {datasets: [{data: points, pointRadius: 0, pointHoverRadius: 0, pointHitRadius: 6}]},
        options: options(along({}), along({reverse: true}), {plugins: {legend: {display: false}, tooltip: {callbacks: {label: function (item) {
          return chart.names[item.raw.x] + ", " + chart.names[item.raw.y] + ": " + (item.raw.r === null ? "-" : item.raw.r.toFixed(2));
        }}}}}),
        plugins: [cells]
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
  // Not in the style sheet: validators do not know it yet under this name.
  document.documentElement.style.setProperty("print-color-adjust", "exact");
  draw();
  dark.addEventListener("change", draw);
  window.matchMedia("print").addEventListener("change", draw);  // paper has its own colours and width
})();
