# Medians of a study's strategies with pandas: python3 rows.py DIR/rows.csv
import sys
import pandas

rows = pandas.read_csv(sys.argv[1])
added = rows[(rows.metric == "added_boot_ns") & (rows.verdict != "stale")]
axes = list(rows.columns[1:rows.columns.get_loc("metric")])
scenario = [axis for axis in axes if axis != "strategy" and added[axis].nunique() > 1]
table = added.pivot_table(index=scenario or ["study"], columns="strategy", values="p50") / 1e6
print(table.round(3).to_csv())  # ms
