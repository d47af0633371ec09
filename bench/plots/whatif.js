// What if: a memo's strategies at other costs, from the events that were played.
//
// A page holds `data` (what was played, by report/memo/memo_played.c) and `formulas` (what an event
// of each kind costs, the rows of EVENT_TABLE). Times are count times price, in whole picoseconds
// as in the program; where actors waited for each other the played times are moved by what their
// events would cost more, with weights that the program fitted to its draws. Runs for which that was
// too far off on draws that were played have no figure at other costs.
"use strict";

const whatif = {};

// By how much an estimate may be off on draws that were played.
whatif.OFF_MAX = 0.2;

// --- times ---

// Prices in ps of all kinds at some costs on a machine, by kind.
whatif.prices = (formulas, machine, cost) => {
    const withoutDic = ns => (machine.dic ? 0 : ns);
    const price = {};
    for (const kind in formulas) {
        const path = (machine.insns[kind] || 0) * (cost.kernel_cpi / machine.clock);
        price[kind] = Math.round(formulas[kind](cost, path, machine, withoutDic) * 1000);
    }
    price.path = cost.cmo_path_ns * cost.lines_misfit * 1000;
    return price;
};

const named = (names, values) => Object.fromEntries(names.map((name, i) => [name, values[i]]));

const total = (counts, kinds, price) => {
    let sum = 0;
    for (let i = 0; i < counts.length; i += 2) {
        sum += counts[i + 1] * price[kinds[counts[i]]];
    }
    return sum;
};

// All draws of a machine with some of its costs set: [mode, draw 1, ...] of {as drawn, as set}.
whatif.draws = (page, machine, set) =>
    machine.draws.map((values, i) => {
        const cost = named(page.data.costs, values);
        const moved = {...cost, ...set};
        return {
            stratum: machine.strata[i],
            drawn: whatif.prices(page.formulas, machine, cost),
            set: whatif.prices(page.formulas, machine, moved),
        };
    });

// What a run comes to in ns, at the mode and in each draw.
whatif.values = (page, run, draws) =>
    draws.map((draw, i) => {
        const kinds = page.data.kinds;
        if (run.counts) {
            const counts = run.counts[run.counts.length > 1 ? draw.stratum : 0];
            return (total(counts, kinds, draw.set) + whatif.path(page, counts, draw.set)) / 1000;
        }
        const more = total(run.weighted, kinds, draw.set) - total(run.weighted, kinds, draw.drawn);
        return Math.max(0, run.played[i] + more / 1000);
    });

// What lines take longer where the path that cores share is slower than one core, in ps.
whatif.path = (page, counts, price) => {
    let more = 0;
    for (let i = 0; i < counts.length; i += 2) {
        if (page.data.kinds[counts[i]].startsWith("line_") && counts[i + 1] > 0) {
            more += counts[i + 1] * Math.max(0, price.path - price[page.data.kinds[counts[i]]]);
        }
    }
    return more;
};

// As the program's: between the two values next to it.
whatif.quantile = (values, f) => {
    const sorted = [...values].sort((a, b) => a - b);
    const index = f * (sorted.length - 1), low = Math.floor(index), delta = index - low;
    return low + 1 < sorted.length ? (1 - delta) * sorted[low] + delta * sorted[low + 1] : sorted[low];
};

whatif.band = values => {
    const drawn = values.slice(1);
    return drawn.length
        ? {mid: whatif.quantile(drawn, 0.5), p10: whatif.quantile(drawn, 0.1),
           p90: whatif.quantile(drawn, 0.9)}
        : {mid: values[0], p10: NaN, p90: NaN};
};

// --- times in words, as in the tables ---

const steps = [[1, "ns"], [1e3, "us"], [1e6, "ms"], [1e9, "s"]];

const decimalsOf = (value, digits) => {
    const before = value === 0 ? 1 : Math.floor(Math.log10(Math.abs(value))) + 1;
    return before >= digits ? 0 : digits - before;
};

const rounded = (value, digits) => {
    const step = value === 0 ? 1 : 10 ** (Math.floor(Math.log10(Math.abs(value))) + 1 - digits);
    return step < 1 ? value : Math.round(value / step) * step;
};

const stepOf = (value, digits) => {
    let i = 0;
    for (; i + 1 < steps.length; i++) {
        const here = Math.abs(value) / steps[i][0], next = steps[i + 1][0] / steps[i][0];
        const half = here === 0 ? 0 : 10 ** (Math.floor(Math.log10(here)) + 1 - digits) / 2;
        if (here + half < next) {
            break;
        }
    }
    return steps[i];
};

const digitsOf = band => {
    const width = (band.p90 - band.p10) / Math.abs(band.mid);
    return Number.isFinite(width) && width < 0.1 ? 3 : 2;
};

whatif.time = band => {
    if (band.mid === 0) {
        return "0 ns";
    }
    const digits = digitsOf(band), [size, unit] = stepOf(band.mid, digits);
    const scaled = rounded(band.mid / size, digits);
    return `${scaled.toFixed(decimalsOf(scaled, digits))} ${unit}`;
};

whatif.bandText = band => {
    const text = whatif.time(band);
    if (!Number.isFinite(band.p10 + band.p90) || (band.p10 === band.mid && band.p90 === band.mid)) {
        return text;
    }
    const digits = digitsOf(band), [size, unit] = stepOf(band.mid === 0 ? band.p90 : band.mid, digits);
    const decimals = decimalsOf(rounded(band.mid / size, digits), digits);
    const end = value => {
        const scaled = rounded(value / size, digits);
        return value !== 0 && Math.abs(scaled) < 0.5 * 10 ** -decimals
            ? String(Number(scaled.toPrecision(2)))
            : scaled.toFixed(decimals);
    };
    return `${text} (${end(band.p10)} to ${end(band.p90)}${band.mid === 0 ? " " + unit : ""})`;
};

// --- what a place comes to ---

// Whether nothing can be said of a run at other costs than were drawn.
whatif.isUnknown = (run, moved) => moved && !run.counts && run.off > whatif.OFF_MAX;

// Each run at a place and a value of the axis with its band, the cheapest first; which of those
// that may win do, in what share of the draws.
whatif.table = (page, place, at, set) => {
    const machine = page.data.machines[place.machine];
    const draws = whatif.draws(page, machine, set);
    const moved = Object.keys(set).length > 0;
    const rows = place.runs.filter(run => run.at === at).map(run => {
        const unknown = whatif.isUnknown(run, moved);
        const values = whatif.values(page, run, draws).map(value => (unknown ? NaN : value));
        const shared = run.counts && draws.some(draw => whatif.path(page, run.counts[0], draw.set) > 0);
        return {run, values, band: whatif.band(values), shared, unknown,
            estimate: moved && !unknown && (!run.counts || shared)};
    });
    const may = rows.filter(row => row.run.may && !row.unknown);
    for (const row of may) {
        const draw = row.values.length > 1 ? row.values.map((_, i) => i).slice(1) : [0];
        const least = i => Math.min(...may.map(other => other.values[i]));
        row.share = draw.filter(i => row.values[i] <= 1.005 * least(i)).length / draw.length;
    }
    rows.sort((a, b) => a.unknown - b.unknown || b.run.safe - a.run.safe || a.band.mid - b.band.mid);
    const best = rows.find(row => row.run.may && !row.unknown);
    return {rows, best, linux: rows.find(row => row.run.linux)};
};

// "9.1 times less" of two medians, or that they are the same.
whatif.against = (mid, linux) => {
    const ratio = Math.max(mid, linux) / Math.min(mid, linux);
    return ratio <= 1.005 ? "the same"
        : `${rounded(ratio, 2).toFixed(decimalsOf(rounded(ratio, 2), 2))} times ${mid < linux ? "less" : "more"}`;
};

// --- the page ---

const element = (name, attributes, ...children) => {
    const made = document.createElement(name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    made.append(...children);
    return made;
};

const svg = (name, attributes, text) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    if (text) {
        made.textContent = text;
    }
    return made;
};

// A slider's place for a cost: by factors, but for what may be 0.
const toCost = (slider, cost) =>
    cost.low > 0 ? cost.low * (cost.high / cost.low) ** slider : cost.low + (cost.high - cost.low) * slider;

const short = value => String(Number(value.toPrecision(3)));

function drawTable(view, found) {
    const body = element("tbody", {});
    for (const row of found.rows) {
        const {run, band} = row, linux = found.linux;
        const name = element("td", {}, element("code", {}, run.name), run.linux ? " (Linux)" : "");
        const against = linux && !run.linux && band.mid > 0 && linux.band.mid > 0 ? whatif.against(band.mid, linux.band.mid) : "";
        const line = element("tr", row === found.best ? {class: "best"} : {}, name,
            element("td", {align: "right"},
                row.unknown ? "not known" : (row.estimate ? "about " : "") + whatif.bandText(band)),
            element("td", {align: "right"}, against),
            element("td", {align: "right"}, row.share === undefined ? "" : `${Math.round(100 * row.share)} %`),
            element("td", {}, run.verdict));
        body.append(line);
    }
    view.table.replaceChildren(element("thead", {}, element("tr", {}, ...[
        ["strategy"], [view.page.data.metric, 1], ["against Linux", 1], ["costs least, of draws", 1], ["safe?"],
    ].map(([text, right]) => element("th", right ? {align: "right", scope: "col"} : {scope: "col"}, text)))), body);
}

function drawLadder(view, place, set) {
    const machine = view.page.data.machines[place.machine];
    const draws = whatif.draws(view.page, machine, set);
    const moved = Object.keys(set).length > 0;
    view.ladder.replaceChildren(...(place.rungs || []).map(run => element("li", {},
        `${run.name}: ` + (whatif.isUnknown(run, moved) ? "not known"
            : (moved && !run.counts ? "about " : "") +
                whatif.bandText(whatif.band(whatif.values(view.page, run, draws)))))));
}

// Medians along the axis, on a scale of powers of ten. Names stand at the lines' ends or, where the
// page is as narrow as a phone, below the axis.
function drawCurve(view, place, set) {
    const {data} = view.page, picture = view.curve, narrow = view.curve.parentElement.clientWidth < 560;
    const width = narrow ? 328 : 640, height = 260, left = 70, right = narrow ? 18 : 170, bottom = 40;
    picture.replaceChildren();
    if (!data.axis) {
        return;
    }
    const names = [...new Set(place.runs.filter(run => run.line).map(run => run.name))];
    const lines = names.map(name => ({name, points: data.axis.values.map((_, at) => {
        const row = whatif.table(view.page, place, at, set).rows.find(one => one.run.name === name);
        return row ? row.band.mid : NaN;
    })}));
    const all = lines.flatMap(line => line.points).filter(value => value > 0);
    const low = Math.floor(Math.log10(Math.min(...all))), high = Math.ceil(Math.log10(Math.max(...all)));
    const x = at => left + (width - left - right) * at / Math.max(1, data.axis.values.length - 1);
    const y = value => 10 + (height - bottom - 10) * (high - Math.log10(value)) / Math.max(1, high - low);
    for (let power = low; power <= high; power++) {
        picture.append(svg("line", {x1: left, x2: width - right, y1: y(10 ** power), y2: y(10 ** power), class: "grid"}),
            svg("text", {x: left - 6, y: y(10 ** power) + 4, "text-anchor": "end"}, whatif.time({mid: 10 ** power})
                .replace(".0", "")));
    }
    data.axis.numbers.forEach((value, at) => {
        if (at % Math.ceil(data.axis.values.length / (narrow ? 4 : 6)) === 0) {
            picture.append(svg("text", {x: x(at), y: height - bottom + 18, "text-anchor": "middle"}, value));
        }
    });
    picture.append(svg("text", {x: narrow ? 4 : left, y: height - 4}, data.axis.title));
    const ends = [];
    lines.forEach((line, i) => {
        const known = line.points.map((value, at) => [at, value]).filter(([, value]) => value > 0);
        if (!known.length) {
            return;
        }
        picture.append(svg("polyline", {class: `line line${i % 6}`,
            points: known.map(([at, value]) => `${x(at)},${y(value)}`).join(" ")}));
        known.forEach(([at, value]) =>
            picture.append(svg("circle", {class: `line${i % 6}`, cx: x(at), cy: y(value), r: 3})));
        ends.push({name: line.name, style: `line${i % 6}`, y: y(known[known.length - 1][1]) + 4});
    });
    ends.sort((a, b) => a.y - b.y).forEach((end, i) => {
        const below = height + 16 * (i + 1);
        end.y = i && end.y < ends[i - 1].y + 13 ? ends[i - 1].y + 13 : end.y;
        if (narrow) {
            picture.append(svg("polyline", {class: `line ${end.style}`, points: `4,${below - 4} 32,${below - 4}`}),
                svg("circle", {class: end.style, cx: 18, cy: below - 4, r: 3}));
        }
        picture.append(svg("text", narrow ? {x: 38, y: below} : {x: width - 164, y: end.y}, end.name));
    });
    picture.setAttribute("viewBox", `0 0 ${width} ${height + (narrow ? 16 * ends.length + 6 : 0)}`);
}

function drawAll(view) {
    const {data} = view.page, place = data.places[view.place.value];
    const at = data.axis ? Number(view.at.value) : place.at;
    const set = {};
    view.sliders.forEach(({cost, input, output, fixed}) => {
        const value = Number(short(toCost(Number(input.value), cost)));
        if (fixed()) {
            set[cost.name] = value;
        }
        output.textContent = fixed() ? `${short(value)} ${cost.unit}` : "as drawn";
    });
    const found = whatif.table(view.page, place, at, set), moved = Object.keys(set).length > 0;
    drawTable(view, found);
    drawCurve(view, place, set);
    view.ladder.parentElement.hidden = at !== place.at || !place.rungs || !place.rungs.length;
    drawLadder(view, place, set);
    const guesses = found.rows.filter(row => row.estimate && !row.shared);
    const shared = found.rows.some(row => row.estimate && row.shared);
    const worst = Math.max(0, ...guesses.map(row => row.run.off));
    const unknown = found.rows.filter(row => row.unknown);
    view.answer.textContent = found.best
        ? `${found.best.run.name} costs least${unknown.length ? " of those that are known" : ""}: ` +
          `${found.best.estimate ? "about " : ""}${whatif.bandText(found.best.band)}.`
        : unknown.length ? "Which strategy costs least is not known at these costs." : "No strategy here is coherent.";
    const said = !moved ? "As printed in section 3."
        : shared ? "About: at these costs the path that cores share is slower than one core, which was not played."
            : guesses.length ? "About: where actors wait for each other the figure is an estimate from what was " +
                    "played. On other draws that were played these estimates are off by at most " +
                    `${Math.ceil(100 * worst)} %.`
                : unknown.length === found.rows.length ? ""
                    : "Exact: no actor waits, so time is count times price.";
    view.note.textContent = said + (unknown.length ? " Not known: where estimates were off by more than " +
        `${100 * whatif.OFF_MAX} % on draws that were played; the command below plays these costs.` : "");
    view.command.textContent = `s2flush run ${data.study}` +
        Object.entries(set).map(([name, value]) => ` --set ${name}=${value}`).join("");
}

function slider(view, cost, changed) {
    const id = `whatif-${cost.name}`;
    let touched = false;
    const input = element("input", {type: "range", id, min: 0, max: 1, step: 0.01, value: cost.rest});
    const output = element("output", {for: id});
    input.addEventListener("input", () => {
        touched = true;
        changed();
    });
    view.resets.push(() => {
        touched = false;
        input.value = cost.rest;
    });
    view.sliders.push({cost, input, output, fixed: () => touched});
    return element("div", {class: "cost"}, element("label", {for: id}, element("code", {}, cost.name), ` ${cost.help}`),
        input, output);
}

function choice(id, label, options, value, changed) {
    const select = element("select", {id}, ...options.map((text, i) => element("option", {value: i}, text)));
    select.value = value;
    select.addEventListener("change", changed);
    return [element("div", {class: "cost"}, element("label", {for: id}, label), select), select];
}

whatif.start = (box, page) => {
    whatif.page = page;
    const {data} = page, view = {page, sliders: [], resets: []};
    const changed = () => drawAll(view);
    const [placeRow, place] = choice("whatif-case", "case", data.places.map(one => one.name), 0, () => {
        if (data.axis) {
            view.at.value = data.places[view.place.value].at;
        }
        changed();
    });
    view.place = place;
    const rows = [placeRow];
    placeRow.hidden = data.places.length < 2;
    if (data.axis) {
        const [row, at] = choice("whatif-axis", data.axis.title, data.axis.values, data.places[0].at, changed);
        view.at = at;
        rows.push(row);
    }
    rows.push(...data.moved.map(cost => slider(view, cost, changed)));
    const reset = element("button", {type: "button"}, "As printed");
    reset.addEventListener("click", () => {
        view.resets.forEach(one => one());
        if (data.axis) {
            view.at.value = data.places[view.place.value].at;
        }
        changed();
    });
    view.answer = element("p", {class: "answer", role: "status"});
    view.note = element("p", {});
    view.table = element("table", {});
    view.ladder = element("ol", {start: 0});
    view.curve = svg("svg", {role: "img", "aria-label": "Medians along the axis; the table has them"});
    view.command = element("code", {});
    box.append(element("h3", {}, "What if"), ...rows, reset, view.answer, view.note,
        element("div", {class: "scroll", role: "group", tabindex: "0", "aria-label": "Strategies at these costs"}, view.table),
        element("div", {}, element("p", {}, "The ladder, from what Linux does:"), view.ladder),
        element("div", data.axis ? {} : {hidden: ""},
            view.curve), element("p", {}, "The program's own figures at these costs: ", view.command));
    box.hidden = false;
    drawAll(view);
    addEventListener("resize", changed);
};

if (typeof module !== "undefined") {
    module.exports = whatif;
}
