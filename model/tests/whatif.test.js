// Tests of bench/plots/whatif.js for node's runner: node --test model/tests/whatif.test.js
"use strict";
const assert = require("node:assert");
const path = require("node:path");
const test = require("node:test");
const whatif = require(path.join(__dirname, "../../bench/plots/whatif.js"));

const formulas = {
    exits: (cost, path) => cost.path_misfit * (cost.exit_ns),
    fault_path: (cost, path) => cost.path_misfit * (path),
    line_clean: cost => cost.lines_misfit * (cost.dc_absent_ns * cost.dc_clean_ratio),
    ic_ialluis: (cost, path, machine, withoutDic) => 1 * (withoutDic(cost.ic_all_ns)),
};
const costs = ["exit_ns", "kernel_cpi", "dc_absent_ns", "dc_clean_ratio", "ic_all_ns", "cmo_path_ns",
    "path_misfit", "lines_misfit"];
const machine = {clock: 2, dic: false, insns: {fault_path: 1000}, strata: [0, 1, 2],
    draws: [[300, 1, 8, 1, 500, 1, 1, 1], [400, 1, 8, 1, 500, 1, 1, 1], [500, 2, 8, 1.5, 500, 1, 1, 1]]};
const run = (name, more) => ({name, at: 0, may: true, safe: true, linux: false, verdict: "yes", ...more});
const page = {formulas, data: {costs, kinds: Object.keys(formulas), machines: [machine], metric: "added"}};

test("prices are whole picoseconds", () => {
    const price = whatif.prices(formulas, machine, Object.fromEntries(costs.map((name, i) => [name, machine.draws[0][i]])));
    assert.deepStrictEqual([price.exits, price.fault_path, price.line_clean, price.ic_ialluis],
        [300000, 500000, 8000, 500000]);
    assert.strictEqual(whatif.prices(formulas, {...machine, dic: true}, {ic_all_ns: 5}).ic_ialluis, 0);
});

test("a serial run is count times price, on the timeline of the draw", () => {
    const draws = whatif.draws(page, machine, {});
    assert.deepStrictEqual(whatif.values(page, run("a", {counts: [[0, 10, 2, 100]]}), draws), [3800, 4800, 6200]);
    assert.deepStrictEqual(whatif.values(page, run("a", {counts: [[0, 1], [0, 2], [0, 3]]}), draws), [300, 800, 1500]);
});

test("a cost that is set is the same in all draws", () => {
    const draws = whatif.draws(page, machine, {exit_ns: 1000});
    assert.deepStrictEqual(whatif.values(page, run("a", {counts: [[0, 10]]}), draws), [10000, 10000, 10000]);
});

test("a run with waits moves from what was played", () => {
    const waits = run("w", {weighted: [0, 5], played: [2000, 3000, 4000], off: 0.1, tried: 2});
    assert.deepStrictEqual(whatif.values(page, waits, whatif.draws(page, machine, {})), [2000, 3000, 4000]);
    assert.deepStrictEqual(whatif.values(page, waits, whatif.draws(page, machine, {exit_ns: 400})), [2500, 3000, 3500]);
});

test("what estimates were far off for has no figure at other costs, and does not win", () => {
    const far = run("far", {weighted: [0, 5], played: [20, 30, 40], off: 0.21, tried: 2});
    const near = run("near", {weighted: [0, 5], played: [2000, 3000, 4000], off: 0.2, tried: 2});
    const place = {machine: 0, runs: [far, near]};
    assert.strictEqual(whatif.table(page, place, 0, {}).best.run.name, "far");
    const found = whatif.table(page, place, 0, {exit_ns: 400});
    assert.deepStrictEqual([found.best.run.name, found.best.estimate, found.best.share], ["near", true, 1]);
    assert.deepStrictEqual(found.rows.map(row => row.unknown), [false, true]);
});

test("lines go no faster than the path that cores share", () => {
    const draws = whatif.draws(page, machine, {cmo_path_ns: 20});
    assert.deepStrictEqual(whatif.values(page, run("a", {counts: [[2, 100]]}), draws), [2000, 2000, 2000]);
});

test("the cheapest that may win is the best; ties count for each", () => {
    const place = {machine: 0, runs: [
        run("stale", {counts: [[0, 1]], may: false, safe: false}), run("b", {counts: [[0, 3]]}),
        run("a", {counts: [[0, 2]]}), run("also", {counts: [[0, 2]]}), run("elsewhere", {counts: [[0, 1]], at: 1}),
        run("unmap", {counts: [[0, 9]], linux: true})]};
    const found = whatif.table(page, place, 0, {});
    assert.deepStrictEqual(found.rows.map(row => row.run.name), ["a", "also", "b", "unmap", "stale"]);
    assert.strictEqual(found.best.run.name, "a");
    assert.strictEqual(found.linux.run.name, "unmap");
    assert.deepStrictEqual(found.rows.map(row => row.share), [1, 1, 0, 0, undefined]);
});

test("quantiles are between the two values next to them", () => {
    assert.strictEqual(whatif.quantile([4, 1, 3, 2], 0.5), 2.5);
    assert.strictEqual(whatif.quantile([7], 0.9), 7);
});

test("times as in the tables", () => {
    const cases = [
        [[650e6, 500e6, 770e6], "650 ms (500 to 770)"], [[10.4e9, 8.2e9, 14e9], "10 s (8 to 14)"],
        [[2.301e9, 2.295e9, 2.318e9], "2.30 s (2.29 to 2.32)"], [[0, 0, 0], "0 ns"],
        [[8300, 4300, 16000], "8.3 us (4.3 to 16.0)"],
        [[5, NaN, NaN], "5.0 ns"],
    ];
    for (const [[mid, p10, p90], text] of cases) {
        assert.strictEqual(whatif.bandText({mid, p10, p90}), text);
    }
});

test("against Linux", () => {
    assert.deepStrictEqual([whatif.against(1, 9.14), whatif.against(16, 10), whatif.against(1, 5.02), whatif.against(1.004, 1)],
        ["9.1 times less", "1.6 times more", "5.0 times less", "the same"]);
});
