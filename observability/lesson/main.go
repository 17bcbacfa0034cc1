// Command lesson shows what a stage adds to the previous one: the files that a reader studies, in reading order, each
// under a line that sums up its changes.
//
//	go run ./observability/lesson stage4-async
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"example.com/dice/observability/internal/lesson"
	"example.com/dice/observability/internal/stages"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "lesson:", err)
		os.Exit(1)
	}
}

func run(arguments []string, out *os.File) error {
	flags := flag.NewFlagSet("lesson", flag.ContinueOnError)
	files := flags.Bool("files", false, "list only the files")
	stat := flags.Bool("stat", false, "list the files with the number of lines added and removed")
	tests := flags.Bool("tests", false, "include the tests")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: go run ./observability/lesson [-files | -stat] [-tests] STAGE")
		flags.PrintDefaults()
	}
	if err := flags.Parse(arguments); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	root, err := stages.Root()
	if err != nil {
		return err
	}
	stage, err := stages.FindOne(root, flags.Args())
	if err != nil {
		return err
	}
	s, err := lesson.Find(stage, *tests)
	if err != nil {
		return err
	}
	d := lesson.NewDiffer()
	if *files || *stat {
		return list(out, s, d, *stat)
	}
	terminal := term.IsTerminal(int(out.Fd()))
	d.Color = terminal && os.Getenv("NO_COLOR") == ""
	if terminal {
		return page(out, func(w io.Writer) error { return show(w, s, d) })
	}
	return show(out, s, d)
}

// show prints the step.
func show(out io.Writer, s lesson.Step, d lesson.Differ) error {
	fmt.Fprintf(out, "From %s to %s\n", s.Before, s.After)
	for _, f := range s.Files {
		hunks, err := d.Hunks(f.Before, f.After)
		if err != nil {
			return err
		}
		heading := "── " + f.Name
		switch {
		case f.Before == "":
			heading += " (new)"
		case f.After == "":
			heading += " (gone)"
		}
		if f.News != "" {
			heading += ": " + f.News
		}
		if d.Color {
			heading = "\x1b[1;33m" + heading + "\x1b[0m"
		}
		if _, err := fmt.Fprintf(out, "\n%s\n%s", heading, hunks); err != nil {
			return nil //nolint:nilerr // the reader has quit the pager
		}
	}
	return nil
}

// list prints the names of the files, with a summary of their changes or the number of changed lines.
func list(out io.Writer, s lesson.Step, d lesson.Differ, stat bool) error {
	width := 0
	for _, f := range s.Files {
		width = max(width, len(f.Name))
	}
	added, removed := 0, 0
	for _, f := range s.Files {
		if !stat {
			fmt.Fprintf(out, "%-*s  %s\n", width, f.Name, f.News)
			continue
		}
		hunks, err := d.Hunks(f.Before, f.After)
		if err != nil {
			return err
		}
		plus, minus := count(hunks)
		added, removed = added+plus, removed+minus
		fmt.Fprintf(out, "%-*s %+5d %+5d\n", width, f.Name, plus, -minus)
	}
	if stat {
		fmt.Fprintf(out, "%-*s %+5d %+5d\n", width, fmt.Sprintf("%d files", len(s.Files)), added, -removed)
	}
	return nil
}

// count returns the number of lines that hunks add and remove.
func count(hunks string) (added, removed int) {
	for line := range strings.Lines(hunks) {
		switch line[0] {
		case '+':
			added++
		case '-':
			removed++
		}
	}
	return added, removed
}
