// Command pictures takes the pictures of a running stage in Grafana: its dashboards, and a trace. It fails if a panel has no
// data, an error or a clipped header.
//
//	go run ./observability/upkeep/pictures STAGE [DIRECTORY]
//
// GRAFANA_URL is the address of Grafana, http://localhost:3000 by default. Without a directory, it retakes the pictures that are in
// the stage's docs.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"example.com/dice/observability/internal/stages"
	"example.com/dice/observability/upkeep/internal/grafana"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	if len(arguments) < 1 || len(arguments) > 2 {
		return errors.New("usage: go run ./observability/upkeep/pictures STAGE [DIRECTORY]")
	}
	root, err := stages.Root()
	if err != nil {
		return err
	}
	stage, err := stages.FindOne(root, arguments[:1])
	if err != nil {
		return err
	}
	album := grafana.Album{
		Grafana: grafana.Grafana(cmp.Or(os.Getenv("GRAFANA_URL"), "http://localhost:3000")),
		Root:    root,
		Stage:   stage.Name,
	}
	if len(arguments) == 2 {
		album.Directory = arguments[1]
	}
	names, err := album.Take(ctx)
	for _, name := range names {
		fmt.Println(name)
	}
	return err
}
