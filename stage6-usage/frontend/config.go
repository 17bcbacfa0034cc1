package main

import "example.com/dice/shared/env"

type config struct {
	addr    string
	rollURL string
	dieURL  string
	grafana string
}

// readConfig reads the environment. Its error names the variable that is missing or has a bad value.
func readConfig() (config, error) {
	var vars env.Reader
	cfg := config{
		addr:    vars.Addr("ADDR", ":8080"),
		rollURL: vars.RequiredURL("ROLL_URL"),
		dieURL:  vars.RequiredURL("DIE_URL"),
		grafana: vars.URL("GRAFANA_URL", "http://localhost:3000"),
	}
	return cfg, vars.Err()
}
