module meshproof.invalid/workloads

go 1.26.8
