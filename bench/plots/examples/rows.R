# Medians of a study's strategies with R: Rscript rows.R DIR/rows.csv
rows <- read.csv(commandArgs(trailingOnly = TRUE)[1], check.names = FALSE)
added <- subset(rows, metric == "added_boot_ns" & verdict != "stale")
axes <- names(rows)[2:(which(names(rows) == "metric") - 1)]
several <- vapply(axes, function(axis) length(unique(added[[axis]])) > 1, logical(1))
scenario <- setdiff(axes[several], "strategy")
key <- if (length(scenario)) do.call(paste, c(added[scenario], sep = ",")) else added$study
table <- tapply(added$p50 / 1e6, list(key, added$strategy), mean)
write.csv(round(table, 3)) # ms
