module example.com/dice/observability

go 1.26.0
